#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/dead_bulk.h"
#include "cli/field.h"
#include "support/cleanup.h"
#include "support/utf8.h"

static const struct argp argp = {
    .options = dead_bulk_options,
    .parser = dead_bulk_parse,
    .doc = "Has dead letters run once more: all of them, or those that the options pick."
           "\vFor example:\n\n"
           "  sluice dead retry --dry-run --type mail --error timeout\n"
           "  sluice dead retry --type mail --error timeout\n\n"
           "Exit code: 0; 2 wrong usage; 3 there is no daemon.\n",
    .children = dead_filter_children,
};

static void print_done(const json_t *answer)
{
    int64_t tasks = field_int(answer, "tasks"), left = field_int(answer, "left");
    const char *why = field_text(answer, "why");
    CLEANUP(cleanup_free) char *clean = utf8_clean_line(why, strlen(why));

    printf("%" PRId64 " task%s once more\n", tasks, tasks == 1 ? " runs" : "s run");
    if (left > 0)
        printf("%" PRId64 " dead letter%s, the first since %s\n", left,
               left == 1 ? " stays" : "s stay", clean);
}

static void print_would(const json_t *answer)
{
    int64_t tasks = field_int(answer, "tasks");
    printf("%" PRId64 " task%s would run once more\n", tasks, tasks == 1 ? "" : "s");
}

int command_dead_retry(struct options *common, int argc, char **argv)
{
    struct dead_bulk retry = {.common = common};

    argp_parse(&argp, argc, argv, 0, NULL, &retry);
    return dead_bulk_ask(&retry, "/v1/dead/retry", retry.dry_run ? print_would : print_done);
}
