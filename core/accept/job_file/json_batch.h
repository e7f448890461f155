/* json_batch: a small JSON text as the items that libyaml would make of it, at a fraction of the
 * cost. Takes only what JSON and YAML write alike: anything else, and all that is wrong, is left to
 * libyaml, which says so. Embedded by its yaml_feed; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job_file/yaml_batch.h"

enum { JSON_BATCH_MOST_BYTES = 2048, JSON_BATCH_ITEMS_MOST = 256 };

struct json_batch {
    uint32_t count;
    struct yaml_item items[JSON_BATCH_ITEMS_MOST]; /* to the end of the stream */
    char texts[JSON_BATCH_MOST_BYTES];             /* of the items, each with its NUL */
};

/* Puts all items of a text into the batch, in place of what was there. False, and the batch is
 * empty, if the text has to go to libyaml. */
bool json_batch_fill(struct json_batch *batch, const char *text, size_t length);
