/* suggest: "did you mean": the nearest of several words by edits (insert, delete, replace, swap of
 * neighbours). The caller offers candidates one by one; one thread at a time. */
#pragma once

#include <stddef.h>

struct suggest {
    const char *wanted;
    size_t wanted_length;
    const char *best; /* NULL while nothing is near enough: a third of the letters may differ, at
                       * least one, never all; case does not count */
    size_t best_edits;
};

/* Begins a search for a word; the word is borrowed. Words over 64 bytes never have a neighbour. */
void suggest_begin(struct suggest *suggest, const char *wanted, size_t length);

/* Offers a candidate; it is borrowed until the result was read. */
void suggest_offer(struct suggest *suggest, const char *candidate);
