#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/field.h"
#include "cli/job_line.h"
#include "cli/job_name.h"
#include "cli/subject.h"
#include "support/cleanup.h"
#include "support/utf8.h"

static const struct argp argp = {
    .parser = subject_parse,
    .args_doc = "JOB:ID",
    .doc = "Says what a task waits for, or why it ended as it did, and what became of its attempts."
           "\vFor example:\n\n"
           "  sluice why nightly:fetch\n\n"
           "Exit code: 0; 1 there is no such task; 3 there is no daemon.\n",
    .children = options_children,
};

static void print_text(const json_t *answer)
{
    CLEANUP(buffer_fini) struct buffer attempts = BUFFER_EMPTY;
    const json_t *list = json_object_get(answer, "attempts");
    const char *why = field_text(answer, "why"), *state = field_text(answer, "state");
    CLEANUP(cleanup_free) char *clean = utf8_clean_line(why, strlen(why));

    if (strcmp(field_text(answer, "code"), state) == 0) /* it has ended, which is all the reason */
        printf("%s: %s\n", field_text(answer, "task"), clean);
    else
        printf("%s is %s: %s\n", field_text(answer, "task"), job_line_state(state), clean);
    for (size_t i = 0; i < json_array_size(list); i++)
        job_line_put_attempt(&attempts, json_array_get(list, i));
    fputs(buffer_text(&attempts), stdout);
}

static int show(struct daemon *daemon, const char *task, const struct options *options)
{
    const struct daemon_question question = {
        .before = "/v1/tasks/", .name = task, .behind = "/why"};

    return daemon_show(daemon, &question, options, print_text);
}

int command_why(struct options *common, int argc, char **argv)
{
    struct subject subject = {.common = common, .what = "task"};

    argp_parse(&argp, argc, argv, 0, NULL, &subject);
    return subject_find(&subject, job_name_find_task, show);
}
