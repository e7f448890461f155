/* json_text: texts that plugins made, for JSON: what is not UTF-8 in them is replaced. For any
 * thread, without state. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* Returns a new JSON string of length bytes in which each byte that is not UTF-8 is U+FFFD. */
json_t *json_text(const char *text, size_t length);

/* The same for a text that ends with NUL; JSON's null for NULL. */
json_t *json_text_or_null(const char *text);
