/* dictionary: finds things by a text. Intrusive: what is found embeds an entry and owns its text.
 * Embedded by its owner; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dictionary_entry {
    const char *text; /* stays valid and unchanged while the entry is in */
    uint32_t hash;
};

/* Open addressing with linear probing: whoever looks for a text that is not in, as who adds one
 * does, reads hashes that lie side by side and nothing else. */
struct dictionary {
    uint32_t *hashes; /* 0: the place is free */
    struct dictionary_entry **entries;
    size_t places; /* a power of two, or 0 */
    size_t count;
};

/* Returns the hash of a text, with its low bits as good as the others. Any thread. */
uint64_t dictionary_hash(const char *text);

/* Makes an empty dictionary; nothing is allocated yet. */
void dictionary_init(struct dictionary *dictionary);

/* Frees the dictionary, not what is in it, which it does not touch. */
void dictionary_fini(struct dictionary *dictionary);

/* Finds the entry with a text; NULL if there is none. */
struct dictionary_entry *dictionary_find(const struct dictionary *dictionary, const char *text);

/* Returns the entry at a place or the next one behind it, and moves *place behind it. NULL: there
 * is none. From place 0 on it goes through all that is in, in no order: entries may be freed on the
 * way if nothing but dictionary_fini follows. Who takes the returned one out goes on one place
 * before. */
struct dictionary_entry *dictionary_next(const struct dictionary *dictionary, size_t *place);

/* Adds an entry whose text is set and not in the dictionary; running out of memory aborts. */
void dictionary_add(struct dictionary *dictionary, struct dictionary_entry *entry);

/* Adds an entry whose text is set unless that is in already: false. */
bool dictionary_add_new(struct dictionary *dictionary, struct dictionary_entry *entry);

/* Takes out an entry that is in. */
void dictionary_remove(struct dictionary *dictionary, struct dictionary_entry *entry);
