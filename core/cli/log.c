#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/job_name.h"
#include "cli/output.h"
#include "cli/subject.h"
#include "support/cleanup.h"
#include "support/utf8.h"

enum { LINE_MOST_BYTES = 64 * 1024 };

struct log {
    struct subject subject; /* first: its parser reads it */
    bool follow;
    struct daemon *daemon;
    bool is_terminal;
    bool begun;
    struct buffer rest; /* on a terminal: of a line that is not whole; else of an error's answer */
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct log *log = state->input;

    if (key != 'f')
        return subject_parse(key, argument, state);
    log->follow = true;
    return 0;
}

static const struct argp_option table[] = {
    {.name = "follow", .key = 'f', .doc = "go on until the task has ended"},
    {0},
};

static const struct argp argp = {
    .options = table,
    .parser = parse,
    .args_doc = "JOB:ID",
    .doc = "Prints what a task has logged and printed: of much, the end. On a terminal, control "
           "characters are shown as `?'."
           "\vFor example:\n\n"
           "  sluice log nightly:fetch\n"
           "  sluice log --follow nightly:fetch\n\n"
           "Exit code: 0; 1 there is no such task; 3 there is no daemon, or it was lost.\n",
    .children = options_children,
};

static void print_rest(struct log *log, const char *end)
{
    CLEANUP(cleanup_free) char *clean = utf8_clean(log->rest.bytes, log->rest.length);

    printf("%s%s", clean, end);
    log->rest.length = 0;
}

/* What a task prints must not steer the terminal of whoever reads it. */
static void print_clean(struct log *log, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t piece = newline == NULL ? length : (size_t)(newline - bytes);
        buffer_append(&log->rest, bytes, piece);
        if (newline != NULL)
            print_rest(log, "\n");
        else if (log->rest.length > LINE_MOST_BYTES)
            print_rest(log, "");
        piece += newline != NULL;
        bytes += piece;
        length -= piece;
    }
}

static void say_dropped(struct log *log)
{
    const char *dropped = daemon_header(log->daemon, "Sluice-Log-Dropped");

    if (dropped != NULL && strcmp(dropped, "0") != 0 && !log->subject.common->quiet)
        output_error("what stood before is not kept: %s bytes", dropped);
}

static bool take(void *context, int status, const char *bytes, size_t length)
{
    struct log *log = context;

    if (status < 200 || status > 299) {
        buffer_append(&log->rest, bytes, length);
        return log->rest.length < DAEMON_ANSWER_MOST_BYTES;
    }
    if (!log->begun)
        say_dropped(log);
    log->begun = true;
    if (log->is_terminal)
        print_clean(log, bytes, length);
    else
        fwrite(bytes, 1, length, stdout);
    output_flush();
    return ferror(stdout) == 0;
}

static int show(struct log *log, const char *task)
{
    CLEANUP(daemon_answer_fini) struct daemon_answer answer;
    const struct daemon_question question = {
        .before = "/v1/tasks/", .name = task, .behind = log->follow ? "/log?follow=1" : "/log"};
    const struct daemon_reader reader = {
        .take = take, .context = log, .stop_fd = -1, .idle_s = log->follow ? 0 : DAEMON_IDLE_S};

    daemon_stream(log->daemon, &question, &reader, &answer);
    bool well = answer.status >= 200 && answer.status <= 299;
    if (well && log->is_terminal && log->rest.length > 0)
        print_rest(log, "\n");
    if (well && answer.end != CLIENT_LOST)
        return EXIT_ALL_WELL;
    if (!well)
        answer.json = json_loadb(log->rest.bytes, log->rest.length, 0, NULL);
    return daemon_explain(log->daemon, &answer);
}

static void log_fini(struct log *log)
{
    daemon_close(&log->daemon);
    buffer_fini(&log->rest);
}

int command_log(struct options *common, int argc, char **argv)
{
    CLEANUP(log_fini)
    struct log log = {.subject = {.common = common, .what = "task"},
                      .is_terminal = output_is_terminal(STDOUT_FILENO)};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &log);
    log.daemon = daemon_open(common, &code);
    if (log.daemon == NULL)
        return code;
    CLEANUP(cleanup_free) char *task = job_name_find_task(log.daemon, log.subject.name, &code);
    return task == NULL ? code : show(&log, task);
}
