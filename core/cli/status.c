#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/job_name.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/status_view.h"
#include "cli/subject.h"
#include "support/cleanup.h"
#include "support/clock.h"

#define WATCH_NS NS_PER_S

struct status {
    struct subject subject; /* first: its parser reads it; without a name: the whole daemon */
    bool watch;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct status *status = state->input;

    if (key != 'w')
        return subject_parse_optional(key, argument, state);
    status->watch = true;
    return 0;
}

static const struct argp_option table[] = {
    {.name = "watch",
     .key = 'w',
     .doc = "show it again every second, until the job or the task has ended"},
    {0},
};

static const struct argp argp = {
    .options = table,
    .parser = parse,
    .args_doc = "[JOB|JOB:ID]",
    .doc =
        "Shows what the daemon does: its jobs, groups, weights and plugins; or a job with the "
        "tasks that failed; or a task. A job is named by its id, the beginning of it, or its name "
        "if no other job has it."
        "\vFor example:\n\n"
        "  sluice status\n"
        "  sluice status --watch nightly\n"
        "  sluice status nightly:fetch\n\n"
        "Exit code: 0; 1 there is no such job or task; 3 there is no daemon; 130, 143 --watch was "
        "ended by SIGINT, SIGTERM.\n",
    .children = options_children,
};

/* On a terminal in one place, else one behind the other. */
static void put(const char *text, size_t length, bool first)
{
    if (output_is_terminal(STDOUT_FILENO)) {
        screen_draw(text, length);
        return;
    }
    printf("%s%.*s", first ? "" : "\n", (int)length, text);
    output_flush();
}

/* Asks for all before anything is shown: what is shown is whole. */
static bool show_again(struct status_view *view, bool first, int *code)
{
    CLEANUP(cleanup_free) char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    if (to == NULL)
        abort();
    bool well = status_view_write(view, to, code);
    fclose(to);
    if (well)
        put(text, length, first || view->options->format == FORMAT_JSON);
    return well && ferror(stdout) == 0;
}

static int watch(struct status_view *view)
{
    CLEANUP(cleanup_close) int fd = interrupt_open();
    bool well = true;
    int code = EXIT_ALL_WELL, signalled = 0;

    if (output_is_terminal(STDOUT_FILENO))
        fputs("\033[2J", stdout);
    for (bool first = true; well && !view->is_over && signalled == 0; first = false) {
        well = show_again(view, first, &code);
        if (well && !view->is_over)
            signalled = interrupt_wait(fd, WATCH_NS);
    }
    return signalled != 0 ? signalled : code;
}

int command_status(struct options *common, int argc, char **argv)
{
    struct status status = {.subject = {.common = common, .what = "job or task"}};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &status);
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(common, &code);
    const char *name = status.subject.name;
    CLEANUP(cleanup_free)
    char *id = daemon == NULL || name == NULL ? NULL : job_name_find_any(daemon, name, &code);
    if (daemon == NULL || (name != NULL && id == NULL))
        return code;
    struct status_view view = {.daemon = daemon, .options = common, .id = id};
    if (status.watch)
        return watch(&view);
    return status_view_write(&view, stdout, &code) ? EXIT_ALL_WELL : code;
}
