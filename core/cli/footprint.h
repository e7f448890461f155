/* footprint: what a process is like in all that a plugin must leave alone (footprint.def), before
 * it is used and after. Embedded by a trial; its main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "support/buffer.h"

enum aspect {
#define ASPECT(name, word, rule, well, look) ASPECT_##name,
#include "cli/footprint.def"
#undef ASPECT
    ASPECT_COUNT,
};

struct footprint {
    struct buffer lines[ASPECT_COUNT]; /* of each aspect, in any order */
};

/* Takes one. footprint_fini is due. */
void footprint_take(struct footprint *footprint);

/* Frees it. Fits CLEANUP. */
void footprint_fini(struct footprint *footprint);

/* Says whether an aspect is now as it was in a footprint; if not adds to text what differs. Threads
 * that are about to end are waited for, for a second. */
bool footprint_holds(const struct footprint *before, enum aspect aspect, struct buffer *text);

/* Returns the name of an aspect. */
const char *aspect_word(enum aspect aspect);

/* Returns the number of the rule that protects it; 0: none of them. */
int aspect_rule(enum aspect aspect);

/* Returns what is said of it if all is well. */
const char *aspect_well(enum aspect aspect);
