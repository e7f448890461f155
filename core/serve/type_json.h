/* type_json: a task type as `plugin info --format json` and the API tell of it: its parameters,
 * flags, an example. Stateless; any thread that has the offer pinned. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "plugin/offer.h"

/* The words of the flags of a type; ends with a word that is NULL. */
extern const struct type_flag {
    uint32_t flag;
    const char *word;
} type_flags[];

/* Returns a new object. */
json_t *type_json(const struct offer *offer);
