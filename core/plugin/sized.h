/* sized: the size rule of the ABI: structs of a plugin begin with their own size and are copied
 * into the host's idea of them. Stateless; any thread that may read the plugin's memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"

enum { SIZED_MOST_BYTES = 4096 };

/* The sizes of a kind of struct: of the oldest SDK's, and of this host's. */
struct sized_bytes {
    size_t least, known;
};

/* Looks at the size of a plugin's struct alone: at least that of the oldest SDK, and not over the
 * limit. False with a message that begins with what. */
bool sized_check(const void *from, struct sized_bytes bytes, const char *what, struct error *error);

/* Copies the part of a plugin's struct that this host knows; what an older one lacks is zero. False
 * with a message that begins with what as in sized_check, or "needs a newer host" where bytes
 * behind that part are not zero. */
bool sized_copy(void *to, struct sized_bytes bytes, const void *from, const char *what,
                struct error *error);

/* Returns the element behind this one in a plugin's array. */
const void *sized_next(const void *element);
