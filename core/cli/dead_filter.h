/* dead_filter: which dead letters are meant: --type, --label, --error, --since, as the `dead`
 * commands read them and the daemon takes them. Zero-initialise; main thread. */
#pragma once

#include <argp.h>
#include <jansson.h>

#include "support/buffer.h"

struct dead_filter {
    const char *type, *label, *error, *since; /* NULL: any */
};

/* The children of a command's parser: this one, whose input (state->child_inputs[0]) is a struct
 * dead_filter, and the common options (state->child_inputs[1]). */
extern const struct argp_child dead_filter_children[3];

/* Adds it to a query: "type=mail&since=1h". */
void dead_filter_put_query(const struct dead_filter *filter, struct buffer *query);

/* Returns it as a JSON object; NULL if it is not UTF-8. */
json_t *dead_filter_json(const struct dead_filter *filter);
