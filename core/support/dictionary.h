/* dictionary: finds things by a text. Intrusive: what is found embeds an entry and owns its text.
 * Embedded by its owner; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dictionary_entry {
    const char *text; /* stays valid and unchanged while the entry is in */
    uint32_t hash;    /* of the text */
};

struct dictionary_place {
    struct dictionary_entry *entry;
    uint32_t hash; /* 0: the place is free */
};

/* Open addressing with linear probing: whoever looks for a text that is not in, as who adds one
 * does, reads places that lie side by side and nothing else. */
struct dictionary_table {
    struct dictionary_place *places;
    size_t size; /* a power of two, or 0 */
    size_t count;
};

/* One table, and from some number on many, each for the hashes with the same highest bits: they
 * grow one by one, so that nobody waits until a million entries have moved. */
struct dictionary {
    struct dictionary_table only;
    struct dictionary_table *many; /* NULL: there is only one */
    size_t count;                  /* of entries in all */
};

/* Returns the hash of a text, with its low bits as good as the others. Any thread. */
uint64_t dictionary_hash(const char *text);

/* Makes an entry for a text, which is hashed: who adds it under a lock has that behind him. Any
 * thread. */
void dictionary_entry_init(struct dictionary_entry *entry, const char *text);

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
struct dictionary_entry *dictionary_next(const struct dictionary *dictionary, uint64_t *place);

/* Has the processor fetch what it needs to add an entry soon. */
void dictionary_expect(const struct dictionary *dictionary, const struct dictionary_entry *entry);

/* Adds an entry whose text is not in the dictionary; running out of memory aborts. */
void dictionary_add(struct dictionary *dictionary, struct dictionary_entry *entry);

/* Adds an entry unless its text is in already: false. */
bool dictionary_add_new(struct dictionary *dictionary, struct dictionary_entry *entry);

/* Takes out an entry that is in. */
void dictionary_remove(struct dictionary *dictionary, struct dictionary_entry *entry);
