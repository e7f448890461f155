/* name: each kind of name is a set of letters for the first place and one for the rest. */
#include "plugin/name.h"

#include <string.h>

#include "sluice/plugin.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Reads at most one byte past the limit: the text may come from a hostile plugin. */
static bool fits(const char *text, const char *first, const char *rest, size_t most_bytes)
{
    if (text[0] == '\0' || strchr(first, text[0]) == NULL)
        return false;
    size_t length = 1;
    while (text[length] != '\0') {
        if (length == most_bytes || strchr(rest, text[length]) == NULL)
            return false;
        length++;
    }
    return true;
}

bool name_is_plugin(const char *text)
{
    return fits(text, LOWER, LOWER DIGITS "_-", SLUICE_NAME_MAX);
}

bool name_is_version(const char *text)
{
    size_t length = 0;
    while (text[length] > ' ' && text[length] <= '~') {
        if (++length > SLUICE_NAME_MAX)
            return false;
    }
    return length > 0 && text[length] == '\0';
}

bool name_is_type(const char *text)
{
    return fits(text, LOWER, LOWER DIGITS "_.-", SLUICE_NAME_MAX);
}

bool name_is_param(const char *text)
{
    return fits(text, LOWER UPPER "_", LOWER UPPER DIGITS "_", SLUICE_NAME_MAX);
}

bool name_is_output(const char *text)
{
    return fits(text, LOWER UPPER DIGITS "_.-", LOWER UPPER DIGITS "_.-", SLUICE_NAME_MAX);
}

bool name_is_code(const char *text)
{
    return fits(text, LOWER DIGITS "_", LOWER DIGITS "_", SLUICE_CODE_MAX);
}
