/* name_table: names with a number each: the anchors of a file, the task types that it uses, the
 * keys of one map. Embedded by its owner; one thread at a time. Running out of memory aborts: what
 * fills it is limited by its owner. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"

struct name_entry {
    uint64_t hash;
    size_t text; /* in texts */
    size_t length;
    uint32_t value;
};

struct name_table {
    struct buffer texts;
    struct name_entry *entries;
    size_t count, capacity;
    uint32_t *
        slots; /* index of an entry plus one; 0: free. A power of two, at most half of them taken */
    size_t slots_count;
};

#define NAME_TABLE_EMPTY ((struct name_table){0})

/* Frees everything; the table is empty and may be used again. Fits CLEANUP. */
void name_table_fini(struct name_table *table);

/* Forgets all names, keeps the memory. */
void name_table_clear(struct name_table *table);

/* Returns where the name's number stands, until the next change; NULL if the name is not there. */
uint32_t *name_table_find(const struct name_table *table, const char *name, size_t length);

/* Gives a name a number, whether it had one or not; the name is copied. True if it is new. */
bool name_table_set(struct name_table *table, const char *name, size_t length, uint32_t value);
