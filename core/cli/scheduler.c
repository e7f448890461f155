#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/field.h"
#include "cli/output.h"
#include "cli/subject.h"
#include "support/cleanup.h"

static const struct argp argp = {
    .parser = subject_parse_optional,
    .args_doc = "[POLICY]",
    .doc =
        "Shows by which policy the daemon picks one of several groups for a task, or switches to "
        "another one: at once, for the tasks that come from then on."
        "\vFor example:\n\n"
        "  sluice scheduler\n"
        "  sluice scheduler load_aware\n\n"
        "Exit code: 0; 2 there is no such policy; 3 there is no daemon.\n",
    .children = options_children,
};

/* The one that is in use has a star. */
static void print_text(const json_t *answer)
{
    const json_t *policies = json_object_get(answer, "policies");
    const char *used = field_text(answer, "policy");

    for (size_t i = 0; i < json_array_size(policies); i++) {
        const char *policy = json_string_value(json_array_get(policies, i));
        if (policy != NULL)
            printf("%c %s\n", strcmp(policy, used) == 0 ? '*' : ' ', policy);
    }
}

static int change(struct daemon *daemon, const struct subject *subject)
{
    static const char *const type[] = {"Content-Type: application/json", NULL};
    json_t *wish = json_pack("{ss}", "policy", subject->name);
    CLEANUP(cleanup_free) char *body = wish == NULL ? NULL : json_dumps(wish, JSON_COMPACT);

    json_decref(wish);
    if (body == NULL) {
        output_error("the name of the policy is not UTF-8");
        return EXIT_USAGE;
    }
    const struct daemon_question question = {
        .method = "PUT",
        .before = "/v1/scheduler",
        .headers = type,
        .body = body,
        .body_length = strlen(body),
    };
    return daemon_show(daemon, &question, subject->common, print_text);
}

int command_scheduler(struct options *common, int argc, char **argv)
{
    const struct daemon_question look = {.before = "/v1/scheduler"};
    struct subject subject = {.common = common, .what = "policy"}; /* no name: only look */
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &subject);
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(common, &code);
    if (daemon == NULL)
        return code;
    return subject.name == NULL ? daemon_show(daemon, &look, common, print_text)
                                : change(daemon, &subject);
}
