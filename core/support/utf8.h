/* utf8: reading text that may be hostile or broken, character by character.
 * Stateless; any thread. Used wherever text of a user is shown: logs, diagnostics, results. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character at text (length > 0 bytes are there) into *character and returns its bytes; 0
 * if it is not valid UTF-8 (overlong forms, surrogates and cut sequences are not). */
size_t utf8_read(const char *text, size_t length, uint32_t *character);

/* Returns whether all of it is valid UTF-8. */
bool utf8_is_valid(const char *text, size_t length);

/* Returns whether a terminal would act on the character instead of showing it: C0, C1, line
 * separators and the marks that turn the direction of writing. */
bool utf8_is_control(uint32_t character);

/* Returns a malloc'ed copy in which every control character but the tab, and every byte that is not
 * UTF-8, is a '?'; running out of memory aborts. */
char *utf8_clean(const char *text, size_t length);

/* As utf8_clean, on one line: tabs and ends of lines become spaces, those at the end are left out.
 * */
char *utf8_clean_line(const char *text, size_t length);
