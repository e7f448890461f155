#include <inttypes.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/dead_bulk.h"
#include "cli/field.h"

static const struct argp argp = {
    .options = dead_bulk_options,
    .parser = dead_bulk_parse,
    .doc = "Forgets dead letters for good: all of them, or those that the options pick."
           "\vFor example:\n\n"
           "  sluice dead drop --dry-run --type mail --label tenant=old\n"
           "  sluice dead drop --type mail --label tenant=old\n\n"
           "Exit code: 0; 2 wrong usage; 3 there is no daemon.\n",
    .children = dead_filter_children,
};

static void print_done(const json_t *answer)
{
    int64_t tasks = field_int(answer, "tasks");
    printf("%" PRId64 " dead letter%s forgotten\n", tasks, tasks == 1 ? " is" : "s are");
}

static void print_would(const json_t *answer)
{
    int64_t tasks = field_int(answer, "tasks");
    printf("%" PRId64 " dead letter%s would be forgotten\n", tasks, tasks == 1 ? "" : "s");
}

int command_dead_drop(struct options *common, int argc, char **argv)
{
    struct dead_bulk drop = {.common = common};

    argp_parse(&argp, argc, argv, 0, NULL, &drop);
    return dead_bulk_ask(&drop, "/v1/dead/drop", drop.dry_run ? print_would : print_done);
}
