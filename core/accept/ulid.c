#include "accept/ulid.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "support/clock.h"

enum { RANDOM_BYTES = 10, AT_ONCE = 25, LETTER_BITS = 5, TIME_LETTERS = 10, HALF_LETTERS = 8 };

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

/* The lowest bits of a value, five a letter. */
static void put_letters(char *to, int count, uint64_t value)
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (int i = count - 1; i >= 0; i--, value >>= LETTER_BITS)
        to[i] = letters[value & ((1U << LETTER_BITS) - 1)];
}

void ulid_make(char text[ULID_BYTES])
{
    uint64_t random[2] = {0};
    unsigned char bytes[RANDOM_BYTES];
    take_random(bytes);
    memcpy(&random[0], bytes, RANDOM_BYTES / 2);
    memcpy(&random[1], bytes + RANDOM_BYTES / 2, RANDOM_BYTES / 2);
    put_letters(text, TIME_LETTERS, (uint64_t)(clock_wall_ns() / NS_PER_MS));
    put_letters(text + TIME_LETTERS, HALF_LETTERS, random[0]);
    put_letters(text + TIME_LETTERS + HALF_LETTERS, HALF_LETTERS, random[1]);
    text[ULID_BYTES - 1] = '\0';
}
