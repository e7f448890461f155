/* memory: memory that must be there. Functions without state, for any thread. */
#pragma once

#include <stddef.h>

/* Returns the memory, or new one for NULL, with room for count items of so many bytes; what it held
 * is kept, and free frees it. Where there is none the program ends. */
void *memory_grow(void *memory, size_t count, size_t bytes);
