#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/dead_filter.h"
#include "cli/field.h"
#include "cli/output.h"
#include "support/cleanup.h"

enum { OPTION_DRY_RUN = 2000 };

struct retry {
    struct options *common;
    struct dead_filter filter;
    bool dry_run;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct retry *retry = state->input;

    (void)argument;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &retry->filter;
        state->child_inputs[1] = retry->common;
        return 0;
    case OPTION_DRY_RUN:
        retry->dry_run = true;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option table[] = {
    {.name = "dry-run", .key = OPTION_DRY_RUN, .doc = "only say how many there are"},
    {0},
};

static const struct argp argp = {
    .options = table,
    .parser = parse,
    .doc = "Has dead letters run once more: all of them, or those that the options pick."
           "\vFor example:\n\n"
           "  sluice dead retry --dry-run --type mail --error timeout\n"
           "  sluice dead retry --type mail --error timeout\n\n"
           "Exit code: 0; 2 wrong usage; 3 there is no daemon.\n",
    .children = dead_filter_children,
};

static void print_done(const json_t *answer)
{
    int64_t tasks = field_int(answer, "tasks");
    printf("%" PRId64 " task%s once more\n", tasks, tasks == 1 ? " runs" : "s run");
}

static void print_would(const json_t *answer)
{
    int64_t tasks = field_int(answer, "tasks");
    printf("%" PRId64 " task%s would run once more\n", tasks, tasks == 1 ? "" : "s");
}

int command_dead_retry(struct options *common, int argc, char **argv)
{
    static const char *const type[] = {"Content-Type: application/json", NULL};
    struct retry retry = {.common = common};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &retry);
    json_t *filter = dead_filter_json(&retry.filter);
    json_object_set_new(filter, "dry_run", json_boolean(retry.dry_run));
    CLEANUP(cleanup_free) char *body = filter == NULL ? NULL : json_dumps(filter, JSON_COMPACT);
    json_decref(filter);
    if (body == NULL) {
        output_error("what picks the dead letters is not UTF-8");
        return EXIT_USAGE;
    }
    const struct daemon_question question = {
        .method = "POST",
        .before = "/v1/dead/retry",
        .headers = type,
        .body = body,
        .body_length = strlen(body),
    };
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(common, &code);
    if (daemon == NULL)
        return code;
    return daemon_show(daemon, &question, common, retry.dry_run ? print_would : print_done);
}
