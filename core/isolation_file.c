#include "isolation_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "plugin/name.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/log.h"
#include "support/units.h"

/* TYPE, PLUGIN, TIME, TASK and WHY with tabs between; a line that begins with '#' is for people. */
enum { FIELDS = 5, FILE_MOST_BYTES = 1024 * 1024, NONSENSE_MOST = 10 /* lines that are named */ };

static const char head[] =
    "# Types that run in worker processes until their plugin changes: since when, and the task "
    "that\n"
    "# crashed. `sluice serve' reads this when it starts; without its line a type is free.\n";

static bool take(char *to, size_t size, const char *from)
{
    int length = snprintf(to, size, "%s", from);
    return length > 0 && length < (int)size;
}

/* Takes the text apart. */
static bool parse(char *text, struct isolation_line *line)
{
    char *fields[FIELDS], *rest = text;

    text[strcspn(text, "\n")] = '\0';
    for (int i = 0; i < FIELDS; i++)
        if ((fields[i] = strsep(&rest, "\t")) == NULL)
            return false;
    return rest == NULL && name_is_type(fields[0]) &&
           take(line->type, sizeof(line->type), fields[0]) &&
           take(line->plugin, sizeof(line->plugin), fields[1]) &&
           units_parse_time(fields[2], strlen(fields[2]), &line->facts.since_wall_ns) &&
           take(line->facts.task, sizeof(line->facts.task), fields[3]) &&
           take(line->facts.why, sizeof(line->facts.why), fields[4]);
}

/* Takes over the descriptor. What cannot be ours is not read: a FIFO would be waited for. */
static FILE *open_stream(int fd, const char *path, struct error *error)
{
    struct stat stat;
    FILE *file = NULL;

    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size > FILE_MOST_BYTES)
        error_set(error, "isolated", "%s is not a file of at most %d bytes", path, FILE_MOST_BYTES);
    else if ((file = fdopen(fd, "r")) == NULL)
        error_errno(error, "isolated", "cannot read %s", path);
    if (file == NULL)
        close(fd);
    return file;
}

static void say_nonsense(const char *path, int64_t number, int64_t count)
{
    if (count < NONSENSE_MOST)
        log_warning("a line of the isolated types makes no sense", LOG_TEXT("file", path),
                    LOG_NUMBER("line", number));
    else if (count == NONSENSE_MOST)
        log_warning("more lines of the isolated types make no sense", LOG_TEXT("file", path),
                    LOG_NUMBER("line", number));
}

bool isolation_file_read(const char *path,
                         void (*visit)(void *context, const struct isolation_line *line),
                         void *context, struct error *error)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CLEANUP(cleanup_fclose) FILE *file = fd < 0 ? NULL : open_stream(fd, path, error);
    CLEANUP(cleanup_free) char *text = NULL;
    size_t size = 0;
    int64_t number = 0, read_count = 0, nonsense_count = 0;

    if (fd < 0)
        return errno == ENOENT || error_errno(error, "isolated", "cannot read %s", path);
    if (file == NULL)
        return false;
    while (read_count < ISOLATION_TYPES_MOST && getline(&text, &size, file) > 0) {
        struct isolation_line line;
        number++;
        if (text[0] == '#')
            continue;
        if (parse(text, &line)) {
            visit(context, &line);
            read_count++;
        } else {
            say_nonsense(path, number, nonsense_count++);
        }
    }
    return ferror(file) == 0 || error_errno(error, "isolated", "cannot read %s", path);
}

static void add_text(struct buffer *text, const char *value, char end)
{
    for (; *value != '\0'; value++) {
        char shown = (unsigned char)*value < ' ' || *value == 0x7f ? ' ' : *value;
        buffer_append(text, &shown, 1);
    }
    buffer_append(text, &end, 1);
}

void isolation_file_add(struct buffer *text, const struct isolation_line *line)
{
    time_t seconds = (time_t)(line->facts.since_wall_ns / NS_PER_S);
    char since[32];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (text->length == 0)
        buffer_puts(text, head);
    add_text(text, line->type, '\t');
    add_text(text, line->plugin, '\t');
    add_text(text, since, '\t');
    add_text(text, line->facts.task, '\t');
    add_text(text, line->facts.why, '\n');
}

static bool write_file(const char *path, const struct buffer *text)
{
    CLEANUP(cleanup_close)
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd >= 0 && write(fd, text->bytes, text->length) == (ssize_t)text->length &&
           fdatasync(fd) == 0;
}

bool isolation_file_replace(const char *path, const struct buffer *text, struct error *error)
{
    CLEANUP(cleanup_free) char *next = NULL;

    if (asprintf(&next, "%s.new", path) < 0)
        abort();
    if (text->length == 0)
        return unlink(path) == 0 || errno == ENOENT ||
               error_errno(error, "isolated", "cannot remove %s", path);
    if (write_file(next, text) && rename(next, path) == 0)
        return true;
    error_errno(error, "isolated", "cannot write %s", path);
    unlink(next);
    return false;
}
