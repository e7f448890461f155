#include "accept/job_file/surrogate.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* \ud83d\ude00 becomes \U0001f600 and one more escape, which fills the length up, so that columns
 * stay, and tells in which case the digits were written. A scalar that is not double-quoted has no
 * escapes: there the rewritten form is found and turned back. */
enum { FILLER_LOWER = '\v', FILLER_UPPER = '\f', LONG_BYTES = 10, HEX = 16 };

static bool hex_read(const char *text, int digits, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return false;
        int letter = tolower((unsigned char)text[i]);
        *value = *value * HEX + (uint32_t)(letter <= '9' ? letter - '0' : letter - 'a' + 10);
    }
    return true;
}

static bool pair_read(const char *text, uint32_t *character)
{
    uint32_t high, low;
    if (text[1] != 'u' || text[6] != '\\' || text[7] != 'u' || !hex_read(text + 2, 4, &high) ||
        !hex_read(text + 8, 4, &low))
        return false;
    if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return false;
    *character = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool has_upper(const char *text)
{
    for (int i = 0; i < SURROGATE_PAIR_BYTES; i++)
        if (isupper((unsigned char)text[i]))
            return true;
    return false;
}

static bool pair_rewrite(char *text)
{
    uint32_t character;
    char written[SURROGATE_PAIR_BYTES + 1];
    if (!pair_read(text, &character))
        return false;
    snprintf(written, sizeof written, "\\U%08x\\%c", character, has_upper(text) ? 'f' : 'v');
    memcpy(text, written, SURROGATE_PAIR_BYTES);
    return true;
}

size_t surrogate_join(char *piece, size_t length, bool last, size_t *pairs)
{
    char *end = piece + length;
    char *at = piece;
    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        size_t left = (size_t)(end - at);
        if (left < SURROGATE_PAIR_BYTES && !last)
            return (size_t)(at - piece);
        bool pair = left >= SURROGATE_PAIR_BYTES && pair_rewrite(at);
        *pairs += pair;
        size_t step = pair ? SURROGATE_PAIR_BYTES : 2;
        if (step >= left)
            break;
        at += step;
    }
    return length;
}

/* Behind a character beyond U+FFFF (four bytes of UTF-8) the filler goes. */
static size_t restore_read(char *text, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        bool filler = (text[i] == FILLER_LOWER || text[i] == FILLER_UPPER) && kept >= 4 &&
                      (text[kept - 4] & 0xf8) == 0xf0;
        if (!filler)
            text[kept++] = text[i];
    }
    text[kept] = '\0';
    return kept;
}

static bool written_restore(char *text)
{
    uint32_t character;
    char written[SURROGATE_PAIR_BYTES + 1];
    if (text[1] != 'U' || text[LONG_BYTES] != '\\' || !hex_read(text + 2, 8, &character) ||
        character < 0x10000 || character > 0x10ffff)
        return false;
    char filler = text[LONG_BYTES + 1];
    if (filler != 'v' && filler != 'f')
        return false;
    character -= 0x10000;
    snprintf(written, sizeof written, filler == 'f' ? "\\u%04X\\u%04X" : "\\u%04x\\u%04x",
             0xd800 + (character >> 10), 0xdc00 + (character & 0x3ff));
    memcpy(text, written, SURROGATE_PAIR_BYTES);
    return true;
}

size_t surrogate_restore(char *text, size_t length, bool double_quoted)
{
    if (double_quoted)
        return restore_read(text, length);
    for (size_t i = 0; i + SURROGATE_PAIR_BYTES <= length; i++)
        if (text[i] == '\\' && written_restore(text + i))
            i += SURROGATE_PAIR_BYTES - 1;
    return length;
}
