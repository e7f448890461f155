/* field: what stands in a JSON object that a daemon answered with, which may be of another version
 * or none at all: what is not there, or of another kind, reads as nothing. Stateless. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Returns a text; "" if there is none. Valid as long as the object. */
const char *field_text(const json_t *object, const char *key);

/* Returns an integer; 0 if there is none. */
int64_t field_int(const json_t *object, const char *key);

/* Returns a number; 0 if there is none. */
double field_number(const json_t *object, const char *key);

/* Returns whether it is true. */
bool field_is_true(const json_t *object, const char *key);

/* Returns a text that the caller frees: a scalar as people write it, "" for null or nothing, any
 * other value as JSON. */
char *field_shown(const json_t *object, const char *key);
