#include "support/dictionary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALLEST_PLACES = 16, LARGE_PAGE_BYTES = 2 * 1024 * 1024 };

void dictionary_init(struct dictionary *dictionary)
{
    *dictionary = (struct dictionary){0};
}

void dictionary_fini(struct dictionary *dictionary)
{
    free(dictionary->table);
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

/* Returns the place of a text, or the free one where it is to be. */
static struct dictionary_place *find(const struct dictionary *dictionary, uint32_t hash,
                                     const char *text)
{
    size_t at = home_of(dictionary, hash);
    for (;; at = behind(dictionary, at)) {
        struct dictionary_place *place = &dictionary->table[at];
        if (place->hash == 0 || (place->hash == hash && strcmp(place->entry->text, text) == 0))
            return place;
    }
}

struct dictionary_entry *dictionary_find(const struct dictionary *dictionary, const char *text)
{
    return dictionary->count == 0 ? NULL : find(dictionary, hash_of(text), text)->entry;
}

void dictionary_entry_init(struct dictionary_entry *entry, const char *text)
{
    *entry = (struct dictionary_entry){.text = text, .hash = hash_of(text)};
}

void dictionary_expect(const struct dictionary *dictionary, const struct dictionary_entry *entry)
{
    if (dictionary->places > 0)
        __builtin_prefetch(&dictionary->table[home_of(dictionary, entry->hash)], 1);
}

struct dictionary_entry *dictionary_next(const struct dictionary *dictionary, size_t *place)
{
    while (*place < dictionary->places)
        if (dictionary->table[(*place)++].hash != 0)
            return dictionary->table[*place - 1].entry;
    return NULL;
}

static void put(struct dictionary *dictionary, struct dictionary_place what)
{
    size_t place = home_of(dictionary, what.hash);
    while (dictionary->table[place].hash != 0)
        place = behind(dictionary, place);
    dictionary->table[place] = what;
}

/* A large table is looked into all over: with large pages the processor finds its way there. */
static struct dictionary_place *table_make(size_t places)
{
    size_t bytes = places * sizeof(struct dictionary_place);
    bool is_large = bytes >= LARGE_PAGE_BYTES;
    struct dictionary_place *table =
        is_large ? aligned_alloc(LARGE_PAGE_BYTES, bytes) : malloc(bytes);

    if (table == NULL)
        abort();
    if (is_large)
        madvise(table, bytes, MADV_HUGEPAGE); /* where there are none, it has small ones */
    return memset(table, 0, bytes);
}

static void grow(struct dictionary *dictionary)
{
    struct dictionary larger = {.count = dictionary->count};

    larger.places = dictionary->places == 0 ? SMALLEST_PLACES : dictionary->places * 2;
    larger.table = table_make(larger.places);
    for (size_t i = 0; i < dictionary->places; i++)
        if (dictionary->table[i].hash != 0)
            put(&larger, dictionary->table[i]);
    dictionary_fini(dictionary);
    *dictionary = larger;
}

/* At most three places of four are taken, so that there is soon a free one wherever one looks. */
static void make_room(struct dictionary *dictionary)
{
    if (dictionary->count >= dictionary->places / 4 * 3)
        grow(dictionary);
}

void dictionary_add(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    make_room(dictionary);
    put(dictionary, (struct dictionary_place){entry, entry->hash});
    dictionary->count++;
}

bool dictionary_add_new(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    make_room(dictionary);
    struct dictionary_place *place = find(dictionary, entry->hash, entry->text);
    if (place->hash != 0)
        return false;
    *place = (struct dictionary_place){entry, entry->hash};
    dictionary->count++;
    return true;
}

static size_t place_of(const struct dictionary *dictionary, const struct dictionary_entry *entry)
{
    size_t place = home_of(dictionary, entry->hash);
    while (dictionary->table[place].entry != entry) {
        assert(dictionary->table[place].hash != 0);
        place = behind(dictionary, place);
    }
    return place;
}

/* What has been pushed beyond the gap moves into it, so that nothing is looked for behind a free
 * place. */
void dictionary_remove(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    struct dictionary_place *table = dictionary->table;
    size_t gap = place_of(dictionary, entry), mask = dictionary->places - 1;
    for (size_t at = behind(dictionary, gap); table[at].hash != 0; at = behind(dictionary, at)) {
        size_t home = home_of(dictionary, table[at].hash);
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        table[gap] = table[at];
        gap = at;
    }
    table[gap] = (struct dictionary_place){0};
    dictionary->count--;
}
