#include "support/memory.h"

#include <stdlib.h>

void *memory_grow(void *memory, size_t count, size_t bytes)
{
    void *larger = reallocarray(memory, count, bytes);
    if (larger == NULL)
        abort();
    return larger;
}
