/* json_text: texts that plugins made, for JSON: what is not UTF-8 in them is replaced; and times.
 * For any thread, without state. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/params.h"

/* Returns a new JSON string of length bytes in which each byte that is not UTF-8 is U+FFFD. */
json_t *json_text(const char *text, size_t length);

/* The same for a text that ends with NUL; JSON's null for NULL. */
json_t *json_text_or_null(const char *text);

/* Returns a wall time (nanoseconds since 1970) as "2026-11-26T12:00:00.123456Z"; null for 0. */
json_t *json_wall_time(int64_t wall_ns);

/* Returns outputs, name NUL text NUL ..., as an object. */
json_t *json_outputs(const void *outputs, size_t bytes);

/* Returns labels as an object; NULL: without any. */
json_t *json_labels(const struct sluice_map *labels);
