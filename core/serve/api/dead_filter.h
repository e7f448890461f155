/* dead_filter: which dead letters a request is about: the same keys in a query and in a body. On
 * the stack of a handler, zero-initialised; the http thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "serve/http_request.h"
#include "store/stored.h"

struct dead_filter {
    struct store_query query; /* points into the request, or the body, and: */
    char *label;
    bool dry_run; /* of a body */
};

/* Frees what it has copied. */
void dead_filter_fini(struct dead_filter *filter);

/* Reads it from the query of a request, which outlives it; false: answered. */
bool dead_filter_read_query(struct dead_filter *filter, struct http_request *request);

/* Reads it from a body, which outlives it; false: answered. */
bool dead_filter_read_body(struct dead_filter *filter, struct http_request *request, json_t *body);
