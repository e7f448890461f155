/* config_values: values of the configuration that are more than one word; for config_keys alone.
 * Each reads a value into a field, whose old one is freed; false with a message that says what was
 * found and what is allowed. */
#pragma once

#include "config_keys.h"

/* An absolute path, or one below ~/; an empty value is none: NULL. */
bool config_set_path(const struct config_key *key, char **field, const char *value,
                     struct error *error);

/* Folders with ':' between them, into fields that end with NULL. */
bool config_set_folders(const struct config_key *key, char **fields, const char *value,
                        struct error *error);

/* Labels, key=value with ',' between them, sorted by key. */
bool config_set_labels(const struct config_key *key, struct sluice_map *field, const char *value,
                       struct error *error);
