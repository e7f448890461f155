/* sized: the size rule of the ABI: structs of a plugin begin with their own size and are copied
 * into the host's idea of them. Stateless; any thread that may read the plugin's memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"

enum { SIZED_MOST_BYTES = 4096 };

/* Copies min(its size, bytes) of a plugin's struct into to, the rest is zeroed. bytes is the
 * size that this host knows, which is also the least it takes. False with a message that begins
 * with what: a size that cannot be, or "needs a newer host" where bytes that this host does not
 * know are not zero. */
bool sized_copy(void *to, size_t bytes, const void *from, const char *what, struct error *error);

/* Returns the element behind this one in a plugin's array. */
const void *sized_next(const void *element);
