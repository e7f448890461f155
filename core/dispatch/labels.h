/* labels: sets of key=value, sorted by key, as a task asks for them and a group has them. Functions
 * without state, for any thread. NULL is the empty set. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sluice/params.h"

/* Returns whether both have the same pairs. */
bool labels_equal(const struct sluice_map *one, const struct sluice_map *other);

/* Returns whether one set has all pairs of the other. */
bool labels_include(const struct sluice_map *labels, const struct sluice_map *wanted);

/* Writes the pairs, "a=b,c=d", cut where the room ends. */
void labels_write(const struct sluice_map *labels, char *text, size_t capacity);
