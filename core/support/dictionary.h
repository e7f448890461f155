/* dictionary: finds things by a text. Intrusive: what is found embeds an entry and owns its text.
 * Embedded by its owner; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dictionary_entry {
    struct dictionary_entry *next;
    uint64_t hash;
    const char *text; /* stays valid and unchanged while the entry is in */
};

struct dictionary {
    struct dictionary_entry **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
};

/* Returns the hash of a text that entries have. Any thread. */
uint64_t dictionary_hash(const char *text);

/* Makes an empty dictionary; nothing is allocated yet. */
void dictionary_init(struct dictionary *dictionary);

/* Frees the dictionary, not what is in it. */
void dictionary_fini(struct dictionary *dictionary);

/* Finds the entry with a text; NULL if there is none. */
struct dictionary_entry *dictionary_find(const struct dictionary *dictionary, const char *text);

/* Adds an entry whose text is set and not in the dictionary; running out of memory aborts. */
void dictionary_add(struct dictionary *dictionary, struct dictionary_entry *entry);

/* Adds an entry whose text is set unless that is in already: false. */
bool dictionary_add_new(struct dictionary *dictionary, struct dictionary_entry *entry);

/* Takes out an entry that is in. */
void dictionary_remove(struct dictionary *dictionary, struct dictionary_entry *entry);
