#include <stdio.h>

#include "cli/command.h"
#include "cli/job_name.h"
#include "cli/status_view.h"
#include "cli/subject.h"

static const struct argp argp = {
    .parser = subject_parse,
    .args_doc = "JOB:ID",
    .doc = "Shows a dead letter: its parameters (secrets are masked), its attempts and why it "
           "failed."
           "\vFor example:\n\n"
           "  sluice dead show nightly:fetch\n\n"
           "Exit code: 0; 1 there is no such task; 3 there is no daemon.\n",
    .children = options_children,
};

static int show(struct daemon *daemon, const char *task, const struct options *options)
{
    struct status_view view = {.daemon = daemon, .options = options, .id = task};
    int code;

    return status_view_write(&view, stdout, &code) ? EXIT_ALL_WELL : code;
}

int command_dead_show(struct options *common, int argc, char **argv)
{
    struct subject subject = {.common = common, .what = "task"};

    argp_parse(&argp, argc, argv, 0, NULL, &subject);
    return subject_find(&subject, job_name_find_task, show);
}
