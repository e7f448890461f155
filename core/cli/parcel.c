#include "cli/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept/job_file.h"
#include "serve/json_text.h"
#include "support/cleanup.h"
#include "support/utf8.h"

enum { BLOCK_BYTES = 256 * 1024 };

static bool refuse(struct parcel *parcel, enum job_file_error error, const char *reason)
{
    diagnostics_add(&parcel->diagnostics, (struct place){0}, job_file_error_word(error), reason,
                    NULL);
    return false;
}

/* A regular file is read from its start, whatever was read of it before. */
static ssize_t read_block(int fd, bool seekable, struct buffer *text)
{
    char *to = buffer_reserve(text, BLOCK_BYTES);
    ssize_t got;

    do
        got =
            seekable ? pread(fd, to, BLOCK_BYTES, (off_t)text->length) : read(fd, to, BLOCK_BYTES);
    while (got < 0 && errno == EINTR);
    return got;
}

static bool read_text(struct parcel *parcel, int fd, bool seekable)
{
    struct buffer *text = &parcel->text;

    for (ssize_t got = 1; got > 0;) {
        got = read_block(fd, seekable, text);
        if (got < 0)
            return refuse(parcel, JOB_FILE_READ, strerror(errno));
        text->length += (size_t)got;
        if ((int64_t)text->length > PARCEL_MOST_BYTES)
            return refuse(parcel, JOB_FILE_TOO_LARGE, "the file is larger than 1 GiB");
    }
    return true;
}

/* Lines of errors are read from there. */
static bool copy_text(struct parcel *parcel)
{
    const struct buffer *text = &parcel->text;

    parcel->fd = memfd_create("job", MFD_CLOEXEC);
    for (size_t at = 0; at < text->length;) {
        ssize_t put = write(parcel->fd, text->bytes + at, text->length - at);
        if (put < 0)
            return refuse(parcel, JOB_FILE_READ, strerror(errno));
        at += (size_t)put;
    }
    return parcel->fd >= 0 || refuse(parcel, JOB_FILE_READ, strerror(errno));
}

static bool open_text(struct parcel *parcel)
{
    bool is_input = strcmp(parcel->file, "-") == 0;
    struct stat status;
    int fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                      : open(parcel->file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return refuse(parcel, JOB_FILE_READ, strerror(errno));
    parcel->fd = fd;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        return refuse(parcel, JOB_FILE_READ, "it is a folder");
    if (S_ISREG(status.st_mode))
        return read_text(parcel, fd, true);
    CLEANUP(cleanup_close) int pipe = fd;
    parcel->fd = -1;
    return read_text(parcel, pipe, false) && copy_text(parcel);
}

static int append(const char *bytes, size_t length, void *body)
{
    buffer_append(body, bytes, length);
    return 0;
}

static json_t *settings_json(const struct settings *settings)
{
    json_t *set = json_object();

    for (size_t i = 0; i < settings->count; i++)
        json_object_set_new(set, settings->items[i].name, json_string(settings->items[i].value));
    return set;
}

static void put_envelope(struct parcel *parcel, const struct settings *settings)
{
    json_t *envelope = json_object();

    json_object_set_new(envelope, "file", json_text_or_null(parcel->file));
    json_object_set_new(envelope, "text", json_stringn(parcel->text.bytes, parcel->text.length));
    json_object_set_new(envelope, "set", settings_json(settings));
    json_object_set(envelope, "env", parcel->env);
    json_object_set(envelope, "files", parcel->files);
    json_dump_callback(envelope, append, &parcel->body, JSON_COMPACT);
    json_decref(envelope);
    parcel->type = "Content-Type: application/vnd.sluice.submission+json";
}

bool parcel_make(struct parcel *parcel, const char *file, const struct settings *settings)
{
    *parcel = (struct parcel){.file = file, .fd = -1, .env = json_object(), .files = json_object()};
    diagnostics_init(&parcel->diagnostics, file);
    if (!open_text(parcel))
        return false;
    const struct buffer *text = &parcel->text;
    parcel->type = "Content-Type: application/yaml";
    if (!utf8_is_valid(text->bytes, text->length) ||
        (text->length > 0 && memchr(text->bytes, '\0', text->length) != NULL))
        return true;
    if (!parcel_scan(parcel))
        return false;
    put_envelope(parcel, settings);
    return true;
}

void parcel_fini(struct parcel *parcel)
{
    if (parcel->fd >= 0)
        close(parcel->fd);
    buffer_fini(&parcel->text);
    buffer_fini(&parcel->body);
    json_decref(parcel->env);
    json_decref(parcel->files);
    diagnostics_fini(&parcel->diagnostics);
}
