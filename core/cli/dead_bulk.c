#include "cli/dead_bulk.h"

#include <string.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/output.h"
#include "support/cleanup.h"

enum { OPTION_DRY_RUN = 2000 };

const struct argp_option dead_bulk_options[] = {
    {.name = "dry-run", .key = OPTION_DRY_RUN, .doc = "only say how many there are"},
    {0},
};

error_t dead_bulk_parse(int key, char *argument, struct argp_state *state)
{
    struct dead_bulk *bulk = state->input;

    (void)argument;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &bulk->filter;
        state->child_inputs[1] = bulk->common;
        return 0;
    case OPTION_DRY_RUN:
        bulk->dry_run = true;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

int dead_bulk_ask(const struct dead_bulk *bulk, const char *path,
                  void (*print)(const json_t *answer))
{
    static const char *const type[] = {"Content-Type: application/json", NULL};
    json_t *filter = dead_filter_json(&bulk->filter);
    int code;

    json_object_set_new(filter, "dry_run", json_boolean(bulk->dry_run));
    CLEANUP(cleanup_free) char *body = filter == NULL ? NULL : json_dumps(filter, JSON_COMPACT);
    json_decref(filter);
    if (body == NULL) {
        output_error("what picks the dead letters is not UTF-8");
        return EXIT_USAGE;
    }
    const struct daemon_question question = {
        .method = "POST",
        .before = path,
        .headers = type,
        .body = body,
        .body_length = strlen(body),
    };
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(bulk->common, &code);
    return daemon == NULL ? code : daemon_show(daemon, &question, bulk->common, print);
}
