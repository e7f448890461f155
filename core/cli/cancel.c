#include <stdio.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/field.h"
#include "cli/job_name.h"
#include "cli/subject.h"

static const struct argp argp = {
    .parser = subject_parse,
    .args_doc = "JOB|JOB:ID",
    .doc = "Cancels a job with all its unfinished tasks, or one task. What runs is asked to end."
           "\vFor example:\n\n"
           "  sluice cancel nightly\n"
           "  sluice cancel nightly:fetch\n\n"
           "Exit code: 0 it is being cancelled; 1 it has ended already, or there is no such job or "
           "task; 3 there is no daemon, or it cannot write it down.\n",
    .children = options_children,
};

static void print_text(const json_t *answer)
{
    const char *task = field_text(answer, "task");
    printf("%s is being cancelled\n", task[0] != '\0' ? task : field_text(answer, "job"));
}

static int cancel(struct daemon *daemon, const char *id, const struct options *options)
{
    const struct daemon_question question = {
        .method = "DELETE",
        .before = job_name_is_task(id) ? "/v1/tasks/" : "/v1/jobs/",
        .name = id,
    };

    return daemon_show(daemon, &question, options, print_text);
}

int command_cancel(struct options *common, int argc, char **argv)
{
    struct subject subject = {.common = common, .what = "job or task"};

    argp_parse(&argp, argc, argv, 0, NULL, &subject);
    return subject_find(&subject, job_name_find_any, cancel);
}
