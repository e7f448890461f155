/* config_keys: the table of keys (config.def) and how each kind of value is read. Used by config*.c
 * and the tests alone, on the thread that loads the configuration; the table is immutable. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "support/buffer.h"

enum config_kind {
    CONFIG_COUNT,
    CONFIG_WORKERS,
    CONFIG_SPAN,
    CONFIG_SIZE,
    CONFIG_TEXT,
    CONFIG_LISTEN,
    CONFIG_LABELS,
    CONFIG_PATH,
    CONFIG_FOLDERS,
    CONFIG_POLICY,
    CONFIG_OVERFLOW,
    CONFIG_STUCK,
    CONFIG_ISOLATION,
    CONFIG_BACKEND,
    CONFIG_LEVEL,
    CONFIG_FORMAT,
};

/* When a change of the file takes effect. */
enum config_effect { CONFIG_LIVE, CONFIG_RESTART };

struct config_key {
    const char *section, *name;
    enum config_kind kind;
    enum config_effect effect;
    size_t offset; /* of the field in struct config or struct config_group */
    const char *def;
    int64_t least, most;
    const char *why;
};

/* Every key of the table, in its order. */
extern const struct config_key config_keys[];
extern const size_t config_keys_count;

/* Returns the key of a section ("group" for all groups), or NULL. */
const struct config_key *config_key_find(const char *section, const char *name);

/* Says whether a key is known to belong to a later version. */
bool config_key_is_later(const char *section, const char *name);

/* Reads a value into the field of a struct config or config_group; false with a message that says
 * what was found and what is allowed. What the field held before is freed. */
bool config_key_set(const struct config_key *key, void *into, const char *value,
                    struct error *error);

/* Adds the value of the field in a struct config or config_group to the text, in a form that
 * config_key_set reads; nothing where there is none. */
void config_key_write(const struct config_key *key, const void *from, struct buffer *text);

/* Swaps the field of a key that is LIVE between two structs, with what it owns. */
void config_key_swap(const struct config_key *key, void *one, void *other);

/* Adds an empty group; NULL if there are too many. Valid until the next one is added. */
struct config_group *config_add_group(struct config *config, const char *name, uint32_t line);

/* Frees the pairs of a group's labels. */
void config_labels_fini(struct sluice_map *labels);

/* Returns a copy of a text; a lack of memory aborts. */
char *config_copy(const char *text);
