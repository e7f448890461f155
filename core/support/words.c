#include "support/words.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

static void put(struct words *words, char byte)
{
    if (words->length < words->capacity)
        words->bytes[words->length++] = byte;
}

void words_put(struct words *words, const char *text)
{
    words_put_cut(words, text, strlen(text));
}

void words_put_cut(struct words *words, const char *text, size_t most)
{
    for (size_t i = 0; i < most && text[i] != '\0'; i++)
        put(words, text[i]);
}

void words_put_masked(struct words *words, const char *text, size_t most)
{
    for (size_t i = 0; i < most && text[i] != '\0'; i++)
        put(words, text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?');
}

static void put_in_base(struct words *words, uint64_t number, unsigned base)
{
    char text[24];
    size_t at = sizeof text;
    do {
        text[--at] = digits[number % base];
        number /= base;
    } while (number > 0);
    words_put_cut(words, text + at, sizeof text - at);
}

void words_put_number(struct words *words, int64_t number)
{
    if (number < 0)
        put(words, '-');
    put_in_base(words, number < 0 ? -(uint64_t)number : (uint64_t)number, 10);
}

void words_put_hex(struct words *words, uint64_t number)
{
    words_put(words, "0x");
    put_in_base(words, number, 16);
}

void words_put_bytes(struct words *words, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(words, digits[bytes[i] >> 4]);
        put(words, digits[bytes[i] & 15]);
    }
}
