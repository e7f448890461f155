#include <stdio.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/field.h"
#include "cli/job_name.h"
#include "cli/subject.h"

static const struct argp argp = {
    .parser = subject_parse,
    .args_doc = "JOB:ID",
    .doc =
        "Has a task that failed, timed out or crashed for good run once more."
        "\vFor example:\n\n"
        "  sluice retry nightly:fetch\n\n"
        "Exit code: 0 it will run; 1 it is no dead letter, or there is no such task; 3 there is no "
        "daemon.\n",
    .children = options_children,
};

static void print_text(const json_t *answer)
{
    printf("%s runs once more\n", field_text(answer, "task"));
}

static int retry(struct daemon *daemon, const char *task, const struct options *options)
{
    const struct daemon_question question = {
        .method = "POST", .before = "/v1/tasks/", .name = task, .behind = "/retry"};

    return daemon_show(daemon, &question, options, print_text);
}

int command_retry(struct options *common, int argc, char **argv)
{
    struct subject subject = {.common = common, .what = "task"};

    argp_parse(&argp, argc, argv, 0, NULL, &subject);
    return subject_find(&subject, job_name_find_task, retry);
}
