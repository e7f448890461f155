#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/field.h"
#include "cli/subject.h"
#include "support/cleanup.h"

static const struct argp argp_pause = {
    .parser = subject_parse,
    .args_doc = "GROUP",
    .doc = "Has a group begin no more tasks; what runs goes on, what comes waits."
           "\vFor example:\n\n"
           "  sluice pause mail\n\n"
           "Exit code: 0; 1 there is no such group; 3 there is no daemon.\n",
    .children = options_children,
};

static const struct argp argp_resume = {
    .parser = subject_parse,
    .args_doc = "GROUP",
    .doc = "Has a group that was paused begin tasks again."
           "\vFor example:\n\n"
           "  sluice resume mail\n\n"
           "Exit code: 0; 1 there is no such group; 3 there is no daemon.\n",
    .children = options_children,
};

static const char *const type_json[] = {"Content-Type: application/json", NULL};

static void print_text(const json_t *answer)
{
    printf("%s is %s: %lld running, %lld queued\n", field_text(answer, "name"),
           field_is_true(answer, "paused") ? "paused" : "not paused",
           (long long)field_int(answer, "running"), (long long)field_int(answer, "queued"));
}

static int change(struct subject *subject, const char *body)
{
    struct daemon_question question = {
        .method = "PATCH",
        .before = "/v1/groups/",
        .name = subject->name,
        .headers = type_json,
        .body = body,
        .body_length = strlen(body),
    };
    int code;
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(subject->common, &code);

    return daemon == NULL ? code : daemon_show(daemon, &question, subject->common, print_text);
}

int command_pause(struct options *common, int argc, char **argv)
{
    struct subject subject = {.common = common, .what = "group"};

    argp_parse(&argp_pause, argc, argv, 0, NULL, &subject);
    return change(&subject, "{\"paused\":true}");
}

int command_resume(struct options *common, int argc, char **argv)
{
    struct subject subject = {.common = common, .what = "group"};

    argp_parse(&argp_resume, argc, argv, 0, NULL, &subject);
    return change(&subject, "{\"paused\":false}");
}
