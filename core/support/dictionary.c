#include "support/dictionary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_PLACES = 16 };

void dictionary_init(struct dictionary *dictionary)
{
    *dictionary = (struct dictionary){0};
}

void dictionary_fini(struct dictionary *dictionary)
{
    free(dictionary->hashes);
    free(dictionary->entries);
    dictionary_init(dictionary);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Eight letters at once; the length is in it, so that a text is not one with NULs behind it. */
uint64_t dictionary_hash(const char *text)
{
    size_t length = strlen(text);
    uint64_t hash = mix(length, 0), word = 0;
    for (; length >= sizeof word; length -= sizeof word, text += sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, text, length);
    return mix(mix(hash, word), 0);
}

static uint32_t hash_of(const char *text)
{
    uint32_t hash = (uint32_t)dictionary_hash(text);
    return hash == 0 ? 1 : hash;
}

static size_t behind(const struct dictionary *dictionary, size_t place)
{
    return (place + 1) & (dictionary->places - 1);
}

/* Returns where a hash is to be, if that is free. */
static size_t home_of(const struct dictionary *dictionary, uint32_t hash)
{
    return hash & (dictionary->places - 1);
}

static struct dictionary_entry *find(const struct dictionary *dictionary, uint32_t hash,
                                     const char *text)
{
    size_t place = home_of(dictionary, hash);
    for (; dictionary->hashes[place] != 0; place = behind(dictionary, place))
        if (dictionary->hashes[place] == hash &&
            strcmp(dictionary->entries[place]->text, text) == 0)
            return dictionary->entries[place];
    return NULL;
}

struct dictionary_entry *dictionary_find(const struct dictionary *dictionary, const char *text)
{
    return dictionary->count == 0 ? NULL : find(dictionary, hash_of(text), text);
}

struct dictionary_entry *dictionary_next(const struct dictionary *dictionary, size_t *place)
{
    while (*place < dictionary->places)
        if (dictionary->hashes[(*place)++] != 0)
            return dictionary->entries[*place - 1];
    return NULL;
}

static void put(struct dictionary *dictionary, uint32_t hash, struct dictionary_entry *entry)
{
    size_t place = home_of(dictionary, hash);
    while (dictionary->hashes[place] != 0)
        place = behind(dictionary, place);
    dictionary->hashes[place] = hash;
    dictionary->entries[place] = entry;
}

static void grow(struct dictionary *dictionary)
{
    struct dictionary larger = {.count = dictionary->count};

    larger.places = dictionary->places == 0 ? SMALLEST_PLACES : dictionary->places * 2;
    larger.hashes = calloc(larger.places, sizeof larger.hashes[0]);
    larger.entries = calloc(larger.places, sizeof(struct dictionary_entry *));
    if (larger.hashes == NULL || larger.entries == NULL)
        abort();
    for (size_t i = 0; i < dictionary->places; i++)
        if (dictionary->hashes[i] != 0)
            put(&larger, dictionary->hashes[i], dictionary->entries[i]);
    dictionary_fini(dictionary);
    *dictionary = larger;
}

/* At most three places of four are taken, so that there is soon a free one wherever one looks. */
static void add(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    if (dictionary->count >= dictionary->places / 4 * 3)
        grow(dictionary);
    put(dictionary, entry->hash, entry);
    dictionary->count++;
}

void dictionary_add(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    entry->hash = hash_of(entry->text);
    add(dictionary, entry);
}

bool dictionary_add_new(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    entry->hash = hash_of(entry->text);
    if (dictionary->count > 0 && find(dictionary, entry->hash, entry->text) != NULL)
        return false;
    add(dictionary, entry);
    return true;
}

static size_t place_of(const struct dictionary *dictionary, const struct dictionary_entry *entry)
{
    size_t place = home_of(dictionary, entry->hash);
    while (dictionary->entries[place] != entry || dictionary->hashes[place] == 0) {
        assert(dictionary->hashes[place] != 0);
        place = behind(dictionary, place);
    }
    return place;
}

/* What has been pushed beyond the gap moves into it, so that nothing is looked for behind a free
 * place. */
void dictionary_remove(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    size_t gap = place_of(dictionary, entry), mask = dictionary->places - 1;
    for (size_t at = behind(dictionary, gap); dictionary->hashes[at] != 0;
         at = behind(dictionary, at)) {
        size_t home = home_of(dictionary, dictionary->hashes[at]);
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        dictionary->hashes[gap] = dictionary->hashes[at];
        dictionary->entries[gap] = dictionary->entries[at];
        gap = at;
    }
    dictionary->hashes[gap] = 0;
    dictionary->count--;
}
