#include "support/dictionary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DICTIONARY_SMALLEST_BUCKETS = 16 };

void dictionary_init(struct dictionary *dictionary)
{
    *dictionary = (struct dictionary){0};
}

void dictionary_fini(struct dictionary *dictionary)
{
    free(dictionary->buckets);
    dictionary_init(dictionary);
}

/* FNV-1a, and the high half folded in, because the buckets are chosen by the low bits. */
uint64_t dictionary_hash(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static struct dictionary_entry **bucket_of(const struct dictionary *dictionary, uint64_t hash)
{
    return &dictionary->buckets[hash & (dictionary->bucket_count - 1)];
}

static struct dictionary_entry *find(const struct dictionary *dictionary, uint64_t hash,
                                     const char *text)
{
    struct dictionary_entry *entry = *bucket_of(dictionary, hash);
    while (entry != NULL && (entry->hash != hash || strcmp(entry->text, text) != 0))
        entry = entry->next;
    return entry;
}

struct dictionary_entry *dictionary_find(const struct dictionary *dictionary, const char *text)
{
    return dictionary->count == 0 ? NULL : find(dictionary, dictionary_hash(text), text);
}

static void put(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    struct dictionary_entry **bucket = bucket_of(dictionary, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
}

static void dictionary_grow(struct dictionary *dictionary)
{
    struct dictionary larger = {.count = dictionary->count};

    larger.bucket_count =
        dictionary->bucket_count == 0 ? DICTIONARY_SMALLEST_BUCKETS : dictionary->bucket_count * 2;
    larger.buckets = calloc(larger.bucket_count, sizeof(struct dictionary_entry *));
    if (larger.buckets == NULL)
        abort();
    for (size_t i = 0; i < dictionary->bucket_count; i++)
        while (dictionary->buckets[i] != NULL) {
            struct dictionary_entry *entry = dictionary->buckets[i];
            dictionary->buckets[i] = entry->next;
            put(&larger, entry);
        }
    free(dictionary->buckets);
    *dictionary = larger;
}

static void add(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    if (dictionary->count == dictionary->bucket_count)
        dictionary_grow(dictionary);
    put(dictionary, entry);
    dictionary->count++;
}

void dictionary_add(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    entry->hash = dictionary_hash(entry->text);
    add(dictionary, entry);
}

bool dictionary_add_new(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    entry->hash = dictionary_hash(entry->text);
    if (dictionary->count > 0 && find(dictionary, entry->hash, entry->text) != NULL)
        return false;
    add(dictionary, entry);
    return true;
}

void dictionary_remove(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    struct dictionary_entry **link = bucket_of(dictionary, entry->hash);

    while (*link != entry) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = entry->next;
    dictionary->count--;
}
