/* words: text that is put together in memory of a fixed size, where nothing may be allocated and no
 * lock taken: in a signal handler. What does not fit is left out. One thread; all of it is safe in
 * a handler. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct words {
    char *bytes; /* the owner's; no NUL behind */
    size_t capacity;
    size_t length;
};

/* Adds a text. */
void words_put(struct words *words, const char *text);

/* Adds a text up to a NUL, or most bytes of it. */
void words_put_cut(struct words *words, const char *text, size_t most);

/* The same with '?' for all that is not printable ASCII. */
void words_put_masked(struct words *words, const char *text, size_t most);

/* Adds a number in decimal. */
void words_put_number(struct words *words, int64_t number);

/* Adds a number as 0x... */
void words_put_hex(struct words *words, uint64_t number);

/* Adds bytes as two hex digits each. */
void words_put_bytes(struct words *words, const uint8_t *bytes, size_t count);
