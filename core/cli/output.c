#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "support/ready.h"

static FILE *collecting; /* NULL: messages go to standard error */
static char *collected;
static size_t collected_length;
static int flush_failed; /* errno of the first output_flush that failed */

void output_flush(void)
{
    if (fflush(stdout) != 0 && flush_failed == 0)
        flush_failed = errno;
}

/* Writes what is left on standard output; returns the exit code that tells the truth. */
static int output_close(int code)
{
    bool lost = ferror(stdout) != 0;

    errno = lost ? EIO : 0;
    if (fclose(stdout) == 0 && !lost)
        return code;
    if (flush_failed != 0)
        errno = flush_failed;
    output_error("cannot write to standard output: %s", strerror(errno));
    return code == EXIT_ALL_WELL || code == EXIT_TASKS ? EXIT_HOST : code;
}

static void at_exit(int code, void *unused)
{
    (void)unused;
    int truth = output_close(code);
    if (truth != code)
        _exit(truth);
}

void output_open(void)
{
    /* Reading ends at once, writing fails, and the number is taken. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_HOST);
    signal(SIGPIPE, SIG_IGN);
    on_exit(at_exit, NULL);
}

bool output_is_terminal(int fd)
{
    const char *terminal = getenv("TERM");
    return isatty(fd) == 1 && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

bool output_colour(enum colour colour, int fd)
{
    switch (colour) {
    case COLOUR_ALWAYS:
        return true;
    case COLOUR_NEVER:
        return false;
    case COLOUR_AUTO:
        break;
    }
    const char *unwanted = getenv("NO_COLOR");
    return output_is_terminal(fd) && (unwanted == NULL || unwanted[0] == '\0');
}

FILE *output_messages(void)
{
    return collecting != NULL ? collecting : stderr;
}

void output_collect(void)
{
    collecting = open_memstream(&collected, &collected_length);
    if (collecting == NULL)
        abort();
}

/* A line is cut at what a descriptor takes whole once poll says that it has room. */
static void write_lines(const char *text)
{
    const struct ready_wish now = {.fd = STDERR_FILENO, .events = POLLOUT, .stop_fd = -1};

    while (*text != '\0' && ready_wait(&now) == READY_NOW) {
        size_t length = strcspn(text, "\n");
        length += text[length] == '\n';
        if (write(STDERR_FILENO, text, length < PIPE_BUF ? length : PIPE_BUF) < 0)
            return;
        text += length;
    }
}

const char *output_collected_text(void)
{
    fflush(collecting);
    return collected;
}

void output_collected(void)
{
    fclose(collecting);
    collecting = NULL;
    write_lines(collected);
    free(collected);
    collected = NULL;
}

bool output_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("sluice: ", output_messages());
    vfprintf(output_messages(), format, arguments);
    fputs("\n", output_messages());
    va_end(arguments);
    return false;
}

void output_json(json_t *json)
{
    if (json == NULL)
        abort();
    json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(json);
}

void output_leave(int code)
{
    _exit(output_close(code));
}
