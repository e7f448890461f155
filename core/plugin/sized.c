#include "plugin/sized.h"

#include <string.h>

#include "sluice/plugin.h"

bool sized_check(const void *from, struct sized_bytes bytes, const char *what, struct error *error)
{
    uint32_t size;
    memcpy(&size, from, sizeof size);
    return (size >= bytes.least && size <= SIZED_MOST_BYTES) ||
           error_set(error, "bad_descriptor", "%s: size is %u, allowed is %zu to %d", what, size,
                     bytes.least, SIZED_MOST_BYTES);
}

bool sized_copy(void *to, struct sized_bytes bytes, const void *from, const char *what,
                struct error *error)
{
    if (!sized_check(from, bytes, what, error))
        return false;
    uint32_t size;
    memcpy(&size, from, sizeof size);
    const unsigned char *raw = from;
    for (size_t i = bytes.known; i < size; i++) {
        if (raw[i] != 0)
            return error_set(error, "newer_abi",
                             "needs a newer host than %d.%d: %s uses what this one does not know",
                             SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, what);
    }
    memset(to, 0, bytes.known);
    memcpy(to, from, size < bytes.known ? size : bytes.known);
    return true;
}

const void *sized_next(const void *element)
{
    uint32_t size;
    memcpy(&size, element, sizeof size);
    return (const unsigned char *)element + size;
}
