/* Open addressing with linear probing, at most two thirds full. A windowed index is two
 * generations: when the younger has `window` ids, the older one is emptied and becomes the younger,
 * so that between one and two windows are remembered.
 *
 * An id is almost always new, and its slots are almost never in a cache: 2 MB for a window, at
 * 120 ns a task a third of the whole way of a no-op task. So nobody waits for them: a windowed
 * generation has a filter that stays in the cache (128 KB) and says of nearly every new id that it
 * is new, and an id gets its slot when the next one comes, the slot having been fetched since. */
#include "accept/id_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "support/arena.h"
#include "support/memory.h"

enum {
    CAPACITY_FIRST = 64, /* of a windowed one */
    CAPACITY_SMALL = 16,
    COPIES_BLOCK = 64 * 1024,
    FILTER_SLOTS = 8 /* for each word of the filter */
};

struct slot {
    uint32_t hash;   /* its low half: where the slot is sought, and a first comparison */
    uint32_t number; /* plus one; 0: free */
};

struct generation {
    struct slot *slots;
    size_t capacity;  /* a power of two */
    const char **ids; /* by number - first */
    size_t ids_capacity;
    size_t count;
    uint32_t first;
    uint64_t *filter; /* two bits of a word are set for each id that has a slot; NULL: none */
    struct arena copies;
};

struct id_index {
    uint32_t window;
    struct generation young, old;
    bool has_last;      /* the id added last has no slot yet */
    uint32_t last_hash; /* of that id */
};

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort();
    return memory;
}

static void generation_init(struct generation *generation, bool filtered)
{
    size_t capacity = filtered ? CAPACITY_FIRST : CAPACITY_SMALL;
    *generation = (struct generation){.capacity = capacity};
    generation->slots = zeroed(capacity, sizeof *generation->slots);
    if (filtered)
        generation->filter = zeroed(capacity / FILTER_SLOTS, sizeof(uint64_t));
    arena_init(&generation->copies, COPIES_BLOCK, 0);
}

static void generation_fini(struct generation *generation)
{
    free(generation->slots);
    free(generation->filter);
    free(generation->ids);
    arena_fini(&generation->copies);
}

static void generation_clear(struct generation *generation, uint32_t first)
{
    memset(generation->slots, 0, generation->capacity * sizeof *generation->slots);
    memset(generation->filter, 0, generation->capacity / FILTER_SLOTS * sizeof(uint64_t));
    generation->count = 0;
    generation->first = first;
    arena_reset(&generation->copies);
}

static uint64_t *filter_word(const struct generation *generation, uint32_t hash)
{
    return &generation->filter[(hash >> 12) & (generation->capacity / FILTER_SLOTS - 1)];
}

/* Two of the word's bits. */
static uint64_t filter_bits(uint32_t hash)
{
    return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63);
}

static bool may_have(const struct generation *generation, uint32_t hash)
{
    uint64_t bits = filter_bits(hash);
    return generation->filter == NULL || (*filter_word(generation, hash) & bits) == bits;
}

static bool generation_find(const struct generation *generation, uint32_t hash, const char *id,
                            uint32_t *number)
{
    size_t mask = generation->capacity - 1;
    for (size_t at = hash & mask; generation->slots[at].number != 0; at = (at + 1) & mask) {
        uint32_t here = generation->slots[at].number - 1;
        if (generation->slots[at].hash == hash &&
            strcmp(generation->ids[here - generation->first], id) == 0) {
            *number = here;
            return true;
        }
    }
    return false;
}

/* Gives an id that has none a slot. */
static void generation_put(struct generation *generation, uint32_t hash, uint32_t number)
{
    size_t mask = generation->capacity - 1, at = hash & mask;
    while (generation->slots[at].number != 0)
        at = (at + 1) & mask;
    generation->slots[at] = (struct slot){hash, number + 1};
    if (generation->filter != NULL)
        *filter_word(generation, hash) |= filter_bits(hash);
}

/* Goes by the slots, not by the ids, which would have to be fetched from all over the memory. */
static void generation_grow(struct generation *generation)
{
    struct slot *slots = generation->slots;
    size_t capacity = generation->capacity;
    generation->capacity = capacity * 2;
    generation->slots = zeroed(generation->capacity, sizeof *slots);
    if (generation->filter != NULL) {
        free(generation->filter);
        generation->filter = zeroed(generation->capacity / FILTER_SLOTS, sizeof(uint64_t));
    }
    for (size_t i = 0; i < capacity; i++)
        if (slots[i].number != 0)
            generation_put(generation, slots[i].hash, slots[i].number - 1);
    free(slots);
}

struct id_index *id_index_create(uint32_t window)
{
    struct id_index *index = zeroed(1, sizeof *index);
    index->window = window;
    generation_init(&index->young, window > 0);
    generation_init(&index->old, window > 0);
    return index;
}

void id_index_destroy(struct id_index **index)
{
    if (*index == NULL)
        return;
    generation_fini(&(*index)->young);
    generation_fini(&(*index)->old);
    free(*index);
    *index = NULL;
}

static uint64_t mixed(uint64_t hash, const char *word)
{
    uint64_t bits;
    memcpy(&bits, word, sizeof bits);
    hash = (hash ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* FNV-1a over eight bytes at a time, the last eight perhaps overlapping, then mixed: ids are short
 * and mostly differ in their last letters. */
uint64_t id_index_hash(const char *id, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ length;
    if (length < 8) {
        char word[8] = {0};
        for (size_t i = 0; i < length; i++)
            word[i] = id[i];
        hash = mixed(hash, word);
    } else {
        for (size_t i = 0; i + 8 < length; i += 8)
            hash = mixed(hash, id + i);
        hash = mixed(hash, id + length - 8);
    }
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 32;
}

void id_index_expect(const struct id_index *index, uint64_t hash)
{
    const struct generation *young = &index->young, *old = &index->old;
    __builtin_prefetch(&young->slots[(uint32_t)hash & (young->capacity - 1)], 1);
    if (index->window == 0)
        return;
    __builtin_prefetch(filter_word(young, (uint32_t)hash), 1);
    __builtin_prefetch(filter_word(old, (uint32_t)hash));
}

/* Returns the number of the id added last. */
static uint32_t last_number(const struct id_index *index)
{
    return index->young.first + (uint32_t)index->young.count - 1;
}

static bool is_last(const struct id_index *index, uint64_t hash, const char *id)
{
    return index->has_last && index->last_hash == (uint32_t)hash &&
           strcmp(index->young.ids[index->young.count - 1], id) == 0;
}

bool id_index_find(const struct id_index *index, uint64_t hash, const char *id, uint32_t *number)
{
    if (is_last(index, hash, id)) {
        *number = last_number(index);
        return true;
    }
    const struct generation *young = &index->young, *old = &index->old;
    return (may_have(young, (uint32_t)hash) &&
            generation_find(young, (uint32_t)hash, id, number)) ||
           (index->window > 0 && may_have(old, (uint32_t)hash) &&
            generation_find(old, (uint32_t)hash, id, number));
}

bool id_index_is(const struct id_index *index, uint32_t number, const char *id)
{
    const struct generation *young = &index->young;
    size_t at = number - young->first; /* huge if the number is of an older one */
    return at < young->count && strcmp(young->ids[at], id) == 0;
}

/* Gives the id added last its slot. */
static void settle_last(struct id_index *index)
{
    struct generation *young = &index->young;
    if (!index->has_last)
        return;
    index->has_last = false;
    if (young->count * 3 >= young->capacity * 2)
        generation_grow(young);
    generation_put(young, index->last_hash, last_number(index));
}

static void index_turn(struct id_index *index, uint32_t first)
{
    struct generation emptied = index->old;
    index->old = index->young;
    index->young = emptied;
    generation_clear(&index->young, first);
}

void id_index_add(struct id_index *index, uint64_t hash, const char *id, size_t length,
                  uint32_t number)
{
    settle_last(index);
    if (index->window > 0 && index->young.count == index->window)
        index_turn(index, number);
    struct generation *young = &index->young;
    if (young->count == young->ids_capacity) {
        young->ids_capacity = young->ids_capacity ? young->ids_capacity * 2 : CAPACITY_SMALL;
        young->ids = memory_grow(young->ids, young->ids_capacity, sizeof *young->ids);
    }
    assert(number == young->first + young->count);
    young->ids[young->count++] = index->window > 0 ? arena_strndup(&young->copies, id, length) : id;
    index->has_last = true;
    index->last_hash = (uint32_t)hash;
    __builtin_prefetch(&young->slots[(uint32_t)hash & (young->capacity - 1)], 1);
}

void id_index_take_back(struct id_index *index)
{
    assert(index->has_last);
    index->has_last = false;
    index->young.count--;
}
