#include "accept/ulid.h"

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "support/clock.h"

enum {
    RANDOM_BYTES = 10,
    AT_ONCE = 25,
    LETTER_BITS = 5,
    TIME_LETTERS = 10,
    HALF_LETTERS = 8,
    LAST_SHIFT = 24
};

/* Returns bytes that nobody has had yet, until the next call. The kernel is asked for at most 256
 * at a time, which it gives without being interrupted: a call for each name costs more than the
 * rest of it. */
static const unsigned char *take_random(void)
{
    static _Thread_local unsigned char bytes[AT_ONCE * RANDOM_BYTES];
    static _Thread_local size_t left;
    if (left == 0) {
        if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
            abort();
        left = sizeof bytes;
    }
    left -= RANDOM_BYTES;
    return bytes + left;
}

/* The lowest bits of a value, five a letter. */
static void put_letters(char *to, int count, uint64_t value)
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (int i = count - 1; i >= 0; i--, value >>= LETTER_BITS)
        to[i] = letters[value & ((1U << LETTER_BITS) - 1)];
}

void ulid_make(char text[ULID_BYTES])
{
    uint64_t first, last; /* eight bytes each, which are the first and last of ten */
    const unsigned char *random = take_random();
    memcpy(&first, random, sizeof first);
    memcpy(&last, random + RANDOM_BYTES - sizeof last, sizeof last);
    put_letters(text, TIME_LETTERS, (uint64_t)(clock_wall_ns() / NS_PER_MS));
    put_letters(text + TIME_LETTERS, HALF_LETTERS, le64toh(first));
    put_letters(text + TIME_LETTERS + HALF_LETTERS, HALF_LETTERS, le64toh(last) >> LAST_SHIFT);
    text[ULID_BYTES - 1] = '\0';
}
