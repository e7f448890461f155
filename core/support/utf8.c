#include "support/utf8.h"

#include <stdlib.h>
#include <string.h>

size_t utf8_read(const char *text, size_t length, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text[0];
    size_t bytes = first < 0x80   ? 1
                   : first < 0xc0 ? 0
                   : first < 0xe0 ? 2
                   : first < 0xf0 ? 3
                   : first < 0xf8 ? 4
                                  : 0;

    if (bytes == 0 || bytes > length)
        return 0;
    uint32_t value = bytes == 1 ? first : first & (0x7fu >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (next & 0x3f);
    }
    if (value < smallest[bytes] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *character = value;
    return bytes;
}

bool utf8_is_valid(const char *text, size_t length)
{
    size_t bytes = 1;
    for (uint32_t character; length > 0 && bytes > 0; text += bytes, length -= bytes)
        bytes = utf8_read(text, length, &character);
    return bytes > 0;
}

bool utf8_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *utf8_clean(const char *text, size_t length)
{
    char *clean = malloc(length + 1);
    char *end = clean;

    if (clean == NULL)
        abort();
    for (size_t i = 0, bytes; i < length; i += bytes) {
        uint32_t character;
        bytes = utf8_read(text + i, length - i, &character);
        if (bytes == 0 || (character != '\t' && utf8_is_control(character))) {
            *end++ = '?';
            bytes = bytes == 0 ? 1 : bytes;
        } else {
            memcpy(end, text + i, bytes);
            end += bytes;
        }
    }
    *end = '\0';
    return clean;
}

char *utf8_clean_line(const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    if (copy == NULL)
        abort();
    for (size_t i = 0; i < length; i++)
        copy[i] = text[i] == '\n' || text[i] == '\r' || text[i] == '\t' ? ' ' : text[i];
    while (length > 0 && copy[length - 1] == ' ')
        length--;
    char *clean = utf8_clean(copy, length);
    free(copy);
    return clean;
}
