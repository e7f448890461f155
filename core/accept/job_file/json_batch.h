/* json_batch: a small JSON text as the items that libyaml would make of it, at a fraction of the
 * cost. Takes only what JSON and YAML write alike: anything else, and all that is wrong, is left to
 * libyaml, which says so. Functions without state, for any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "accept/job_file/yaml_batch.h"

enum { JSON_BATCH_MOST_BYTES = 2048 };

/* Fills an empty batch with all items of a text, to the end of the stream. False, and the batch is
 * empty, if the text has to go to libyaml. */
bool json_batch_fill(struct yaml_batch *batch, const char *text, size_t length);
