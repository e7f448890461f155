/* schema_kind: JSON Schema (draft 2020-12) of single values of a job file. Every value is accepted
 * as an editor reads it (a number, true) and as the text that it is in YAML, and where it is typed
 * also as a text with ${ in it. Stateless; any thread; each function returns a new object. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "plugin/param_table.h"

/* What all values below refer to: the schemas of "#/$defs/text" and so on. */
json_t *schema_kind_definitions(void);

/* Returns what refers to one of these, or to any other definition. */
json_t *schema_kind_reference(const char *name);

/* An int between two limits, as far as it is a number. */
json_t *schema_kind_int(int64_t least, int64_t most);

/* A number between two limits, as far as it is one. */
json_t *schema_kind_float(double least, double most);

/* A text that fits a pattern. */
json_t *schema_kind_pattern(const char *pattern);

/* One of some words, ending in NULL. */
json_t *schema_kind_words(const char *const words[]);

/* A list of what `items` accepts, which is taken over. */
json_t *schema_kind_list(json_t *items);

/* A map with any keys of what `values` accepts, which is taken over. */
json_t *schema_kind_map(json_t *values);

/* Returns a map of no keys yet but a merge. */
json_t *schema_kind_object(void);

/* Adds a key to such a map; schema is taken over. */
void schema_kind_add(json_t *object, const char *key, json_t *schema);

/* Says that a key must be there, unless it may come from a merge. */
void schema_kind_require(json_t *object, const char *key);

/* The value of a parameter. */
json_t *schema_kind_param(const struct param *param);
