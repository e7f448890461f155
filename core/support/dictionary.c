#include "support/dictionary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SMALLEST_SIZE = 16,
    LARGEST_ONLY_SIZE = 64 * 1024,
    TABLE_BITS = 6,
    TABLES = 1 << TABLE_BITS
};

void dictionary_init(struct dictionary *dictionary)
{
    *dictionary = (struct dictionary){0};
}

void dictionary_fini(struct dictionary *dictionary)
{
    for (size_t i = 0; i < TABLES && dictionary->many != NULL; i++)
        free(dictionary->many[i].places);
    free(dictionary->many);
    free(dictionary->only.places);
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

/* Returns the table of a hash. */
static struct dictionary_table *table_of(const struct dictionary *dictionary, uint32_t hash)
{
    return dictionary->many == NULL ? (struct dictionary_table *)&dictionary->only
                                    : &dictionary->many[hash >> (32 - TABLE_BITS)];
}

static size_t behind(const struct dictionary_table *table, size_t place)
{
    return (place + 1) & (table->size - 1);
}

/* Returns where a hash is to be, if that is free. */
static size_t home_of(const struct dictionary_table *table, uint32_t hash)
{
    return hash & (table->size - 1);
}

/* Returns the place of a text, or the free one where it is to be. */
static struct dictionary_place *find(const struct dictionary_table *table, uint32_t hash,
                                     const char *text)
{
    for (size_t at = home_of(table, hash);; at = behind(table, at)) {
        struct dictionary_place *place = &table->places[at];
        if (place->hash == 0 || (place->hash == hash && strcmp(place->entry->text, text) == 0))
            return place;
    }
}

struct dictionary_entry *dictionary_find(const struct dictionary *dictionary, const char *text)
{
    uint32_t hash = hash_of(text);
    const struct dictionary_table *table = table_of(dictionary, hash);
    return table->count == 0 ? NULL : find(table, hash, text)->entry;
}

void dictionary_entry_init(struct dictionary_entry *entry, const char *text)
{
    *entry = (struct dictionary_entry){.text = text, .hash = hash_of(text)};
}

void dictionary_expect(const struct dictionary *dictionary, const struct dictionary_entry *entry)
{
    const struct dictionary_table *table = table_of(dictionary, entry->hash);
    if (table->size > 0)
        __builtin_prefetch(&table->places[home_of(table, entry->hash)], 1);
}

/* Moves *place, of the table alone, as dictionary_next does. */
static struct dictionary_entry *table_next(const struct dictionary_table *table, uint32_t *place)
{
    while (*place < table->size)
        if (table->places[(*place)++].hash != 0)
            return table->places[*place - 1].entry;
    return NULL;
}

/* In the upper half of a place is the number of the table. */
struct dictionary_entry *dictionary_next(const struct dictionary *dictionary, uint64_t *place)
{
    uint32_t count = dictionary->many == NULL ? 1 : TABLES, number = (uint32_t)(*place >> 32);
    uint32_t in_table = (uint32_t)*place;
    struct dictionary_entry *entry = NULL;
    for (; number < count && entry == NULL; number++, in_table = 0) {
        const struct dictionary_table *table =
            dictionary->many == NULL ? &dictionary->only : &dictionary->many[number];
        entry = table_next(table, &in_table);
        *place = (uint64_t)number << 32 | in_table;
    }
    return entry;
}

static void put(struct dictionary_table *table, struct dictionary_place what)
{
    size_t place = home_of(table, what.hash);
    while (table->places[place].hash != 0)
        place = behind(table, place);
    table->places[place] = what;
    table->count++;
}

static void table_init(struct dictionary_table *table, size_t size)
{
    *table = (struct dictionary_table){.places = calloc(size, sizeof(struct dictionary_place)),
                                       .size = size};
    if (table->places == NULL)
        abort();
}

static void grow(struct dictionary_table *table)
{
    struct dictionary_table larger;
    table_init(&larger, table->size == 0 ? SMALLEST_SIZE : table->size * 2);
    for (size_t i = 0; i < table->size; i++)
        if (table->places[i].hash != 0)
            put(&larger, table->places[i]);
    free(table->places);
    *table = larger;
}

/* Returns the table of a hash, with room: at most three places of four are taken, so that there is
 * soon a free one wherever one looks. */
static struct dictionary_table *table_with_room(const struct dictionary *dictionary, uint32_t hash)
{
    struct dictionary_table *table = table_of(dictionary, hash);
    if (table->count >= table->size / 4 * 3)
        grow(table);
    return table;
}

/* From here on there are many tables, one of which may get more than its share: who sends keys may
 * choose them so. */
static void split(struct dictionary *dictionary)
{
    struct dictionary_table *only = &dictionary->only;
    dictionary->many = calloc(TABLES, sizeof *dictionary->many);
    if (dictionary->many == NULL)
        abort();
    for (size_t i = 0; i < TABLES; i++)
        table_init(&dictionary->many[i], 2 * LARGEST_ONLY_SIZE / TABLES);
    for (size_t i = 0; i < only->size; i++)
        if (only->places[i].hash != 0)
            put(table_with_room(dictionary, only->places[i].hash), only->places[i]);
    free(only->places);
    *only = (struct dictionary_table){0};
}

/* The same for who adds. */
static struct dictionary_table *make_room(struct dictionary *dictionary, uint32_t hash)
{
    const struct dictionary_table *only = &dictionary->only;
    if (only->size == LARGEST_ONLY_SIZE && only->count >= only->size / 4 * 3)
        split(dictionary);
    return table_with_room(dictionary, hash);
}

void dictionary_add(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    put(make_room(dictionary, entry->hash), (struct dictionary_place){entry, entry->hash});
    dictionary->count++;
}

bool dictionary_add_new(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    struct dictionary_table *table = make_room(dictionary, entry->hash);
    struct dictionary_place *place = find(table, entry->hash, entry->text);
    if (place->hash != 0)
        return false;
    *place = (struct dictionary_place){entry, entry->hash};
    table->count++;
    dictionary->count++;
    return true;
}

static size_t place_of(const struct dictionary_table *table, const struct dictionary_entry *entry)
{
    size_t place = home_of(table, entry->hash);
    while (table->places[place].entry != entry) {
        assert(table->places[place].hash != 0);
        place = behind(table, place);
    }
    return place;
}

/* What has been pushed beyond the gap moves into it, so that nothing is looked for behind a free
 * place. */
void dictionary_remove(struct dictionary *dictionary, struct dictionary_entry *entry)
{
    struct dictionary_table *table = table_of(dictionary, entry->hash);
    struct dictionary_place *places = table->places;
    size_t gap = place_of(table, entry), mask = table->size - 1;
    for (size_t at = behind(table, gap); places[at].hash != 0; at = behind(table, at)) {
        size_t home = home_of(table, places[at].hash);
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        places[gap] = places[at];
        gap = at;
    }
    places[gap] = (struct dictionary_place){0};
    table->count--;
    dictionary->count--;
}
