#include "cli/footprint.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/cleanup.h"
#include "support/clock.h"

extern char **environ;

enum { SIGNALS_COUNT = NSIG, LAST_STANDARD_FD = STDERR_FILENO };

static const int64_t ending_most_ns = NS_PER_S;

static void close_stream(DIR **stream)
{
    if (*stream != NULL)
        closedir(*stream);
}

/* ---- one look for each aspect ---- */

static void look_at_threads(struct buffer *lines)
{
    CLEANUP(close_stream) DIR *stream = opendir("/proc/self/task");
    const struct dirent *entry;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char path[64], name[32] = "";
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", entry->d_name);
        CLEANUP(cleanup_fclose) FILE *file = fopen(path, "re");
        if (file == NULL || fgets(name, sizeof(name), file) == NULL)
            continue; /* it has ended just now */
        name[strcspn(name, "\n")] = '\0';
        buffer_printf(lines, "thread %s '%s'\n", entry->d_name, name);
    }
}

static void add_descriptor(struct buffer *lines, int folder, const char *number)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(folder, number, target, sizeof(target) - 1);

    if (length < 0)
        return;
    target[length] = '\0';
    buffer_printf(lines, "%s is %s\n", number, target);
}

static void look_at_descriptors(struct buffer *lines, long first, long last)
{
    CLEANUP(close_stream) DIR *stream = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        long number = strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && number != dirfd(stream) && number >= first && number <= last)
            add_descriptor(lines, dirfd(stream), entry->d_name);
    }
}

static void look_at_files(struct buffer *lines)
{
    look_at_descriptors(lines, LAST_STANDARD_FD + 1, LONG_MAX);
}

static void look_at_standard(struct buffer *lines)
{
    look_at_descriptors(lines, 0, LAST_STANDARD_FD);
}

static void add_signal(struct buffer *lines, int number)
{
    const char *name = sigabbrev_np(number);

    if (name != NULL)
        buffer_printf(lines, "SIG%s", name);
    else
        buffer_printf(lines, "signal %d", number);
}

/* Where a handler's code is, without the folder, which is that of a private copy. */
static void add_handler(struct buffer *lines, const struct sigaction *action)
{
    Dl_info info;
    void *address;

    memcpy(&address, &action->sa_sigaction, sizeof(address));
    if (action->sa_handler == SIG_IGN)
        buffer_puts(lines, " is ignored");
    else if (dladdr(address, &info) != 0 && info.dli_fname != NULL)
        buffer_printf(lines, " is handled in %s at %p", basename(info.dli_fname), address);
    else
        buffer_printf(lines, " is handled at %p", address);
}

static void look_at_handlers(struct buffer *lines)
{
    for (int number = 1; number < SIGNALS_COUNT; number++) {
        struct sigaction action;
        if (number == SIGKILL || number == SIGSTOP || sigaction(number, NULL, &action) != 0 ||
            action.sa_handler == SIG_DFL)
            continue;
        add_signal(lines, number);
        add_handler(lines, &action);
        buffer_puts(lines, "\n");
    }
}

static void look_at_mask(struct buffer *lines)
{
    sigset_t mask;

    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < SIGNALS_COUNT; number++) {
        if (!sigismember(&mask, number))
            continue;
        add_signal(lines, number);
        buffer_puts(lines, " is blocked\n");
    }
}

static void look_at_folder(struct buffer *lines)
{
    CLEANUP(cleanup_free) char *folder = getcwd(NULL, 0);

    buffer_printf(lines, "%s\n", folder == NULL ? "a folder without a name" : folder);
}

static void look_at_umask(struct buffer *lines)
{
    char line[256];
    CLEANUP(cleanup_fclose) FILE *file = fopen("/proc/self/status", "re");

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, "Umask:\t", 7) == 0)
            buffer_puts(lines, line + 7);
}

static void look_at_locale(struct buffer *lines)
{
    const char *name = setlocale(LC_ALL, NULL);

    buffer_printf(lines, "%s\n", name == NULL ? "unknown" : name);
}

/* An end of a line in a value would make two lines of it. */
static void look_at_environment(struct buffer *lines)
{
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        for (const char *text = *at; *text != '\0'; text++)
            buffer_append(lines, *text == '\n' ? " " : text, 1);
        buffer_puts(lines, "\n");
    }
}

static const struct {
    const char *word;
    int rule;
    const char *well;
    void (*look)(struct buffer *lines);
} aspects[] = {
#define ASPECT(name, word_, rule_, well_, look_)                                                   \
    {.word = word_, .rule = rule_, .well = well_, .look = look_},
#include "cli/footprint.def"
#undef ASPECT
};

const char *aspect_word(enum aspect aspect)
{
    return aspects[aspect].word;
}

int aspect_rule(enum aspect aspect)
{
    return aspects[aspect].rule;
}

const char *aspect_well(enum aspect aspect)
{
    return aspects[aspect].well;
}

/* ---- a footprint, and what differs ---- */

void footprint_take(struct footprint *footprint)
{
    for (size_t i = 0; i < ASPECT_COUNT; i++) {
        footprint->lines[i] = BUFFER_EMPTY;
        aspects[i].look(&footprint->lines[i]);
        buffer_text(&footprint->lines[i]);
    }
}

void footprint_fini(struct footprint *footprint)
{
    for (size_t i = 0; i < ASPECT_COUNT; i++)
        buffer_fini(&footprint->lines[i]);
}

static bool has_line(const char *lines, const char *line, size_t length)
{
    for (size_t there; (there = strcspn(lines, "\n")) > 0; lines += there + 1)
        if (there == length && memcmp(lines, line, length) == 0)
            return true;
    return false;
}

/* Adds the lines that the other has not; of the environment the names alone: a value may be a
 * secret. */
static size_t add_missing(struct buffer *text, enum aspect aspect, const char *lines,
                          const char *other, const char *head)
{
    size_t count = 0;

    for (size_t length; (length = strcspn(lines, "\n")) > 0; lines += length + 1) {
        size_t shown = aspect == ASPECT_ENVIRONMENT ? strcspn(lines, "=\n") : length;
        if (has_line(other, lines, length))
            continue;
        buffer_printf(text, "%s%.*s", count > 0 ? ", " : head, (int)shown, lines);
        count++;
    }
    return count;
}

/* Of threads only new ones: one that is gone was about to end when it was seen. */
static bool differs(const char *before, enum aspect aspect, struct buffer *text)
{
    CLEANUP(buffer_fini) struct buffer now = BUFFER_EMPTY;

    aspects[aspect].look(&now);
    size_t count = add_missing(text, aspect, buffer_text(&now), before, "new: ");
    if (aspect != ASPECT_THREADS)
        count +=
            add_missing(text, aspect, before, buffer_text(&now), count > 0 ? "; gone: " : "gone: ");
    return count > 0;
}

/* A thread that was joined, or is about to end, is seen for a moment. */
bool footprint_holds(const struct footprint *before, enum aspect aspect, struct buffer *text)
{
    int64_t until_ns = clock_now_ns() + (aspect == ASPECT_THREADS ? ending_most_ns : 0);
    size_t length = text->length;

    while (differs(before->lines[aspect].bytes, aspect, text)) {
        if (clock_now_ns() >= until_ns)
            return false;
        text->length = length;
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    }
    return true;
}
