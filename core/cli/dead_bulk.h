/* dead_bulk: what is done with many dead letters at once: `dead retry` and `dead drop`, with the
 * same options. Main thread. */
#pragma once

#include <argp.h>
#include <jansson.h>

#include "cli/dead_filter.h"
#include "cli/options.h"

struct dead_bulk {
    struct options *common;
    struct dead_filter filter;
    bool dry_run;
};

/* The options, for a parser whose input is a struct dead_bulk and whose children are
 * dead_filter_children. */
extern const struct argp_option dead_bulk_options[];

/* Takes them in. */
error_t dead_bulk_parse(int key, char *argument, struct argp_state *state);

/* Asks the daemon for it by a POST to a path, and has the answer printed; returns the exit code. */
int dead_bulk_ask(const struct dead_bulk *bulk, const char *path,
                  void (*print)(const json_t *answer));
