#include "accept/ulid.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "support/clock.h"

enum { RANDOM_BYTES = 10, AT_ONCE = 25, LETTER_BITS = 5 };

/* Copies bytes that nobody has had yet. The kernel is asked for at most 256 at a time, which it
 * gives without being interrupted: a call for each name costs more than the rest of it. */
static void take_random(unsigned char *to)
{
    static _Thread_local unsigned char bytes[AT_ONCE * RANDOM_BYTES];
    static _Thread_local size_t left;
    if (left == 0) {
        if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
            abort();
        left = sizeof bytes;
    }
    left -= RANDOM_BYTES;
    memcpy(to, bytes + left, RANDOM_BYTES);
}

void ulid_make(char text[ULID_BYTES])
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned __int128 value = (unsigned __int128)(clock_wall_ns() / NS_PER_MS) << 80;
    unsigned __int128 random = 0;
    take_random((unsigned char *)&random);
    value |= random;
    text[ULID_BYTES - 1] = '\0';
    for (int i = ULID_BYTES - 2; i >= 0; i--, value >>= LETTER_BITS)
        text[i] = letters[(unsigned)value & ((1U << LETTER_BITS) - 1)];
}
