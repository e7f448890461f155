/* Open addressing with linear probing, at most two thirds full. A windowed index is two
 * generations: when the younger has `window` ids, the older one is emptied and becomes the younger,
 * so that between one and two windows are remembered. */
#include "accept/id_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "support/arena.h"

enum { CAPACITY_FIRST = 1024, COPIES_BLOCK = 64 * 1024 };

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
    struct slot *last; /* the one added last; NULL after it was taken back */
    struct arena copies;
};

struct id_index {
    uint32_t window;
    struct generation young, old;
};

static void *grown(void *memory, size_t count, size_t size)
{
    void *larger = reallocarray(memory, count, size);
    if (larger == NULL)
        abort();
    return larger;
}

static void generation_init(struct generation *generation)
{
    *generation = (struct generation){.capacity = CAPACITY_FIRST};
    generation->slots = calloc(CAPACITY_FIRST, sizeof *generation->slots);
    if (generation->slots == NULL)
        abort();
    arena_init(&generation->copies, COPIES_BLOCK, 0);
}

static void generation_fini(struct generation *generation)
{
    free(generation->slots);
    free(generation->ids);
    arena_fini(&generation->copies);
}

static void generation_clear(struct generation *generation, uint32_t first)
{
    memset(generation->slots, 0, generation->capacity * sizeof *generation->slots);
    generation->count = 0;
    generation->first = first;
    generation->last = NULL;
    arena_reset(&generation->copies);
}

/* Returns the slot of the id, or the free one where it would go. */
static struct slot *generation_slot(const struct generation *generation, uint64_t hash,
                                    const char *id)
{
    size_t mask = generation->capacity - 1;
    for (size_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        struct slot *slot = &generation->slots[at];
        if (slot->number == 0)
            return slot;
        if (slot->hash == (uint32_t)hash &&
            strcmp(generation->ids[slot->number - 1 - generation->first], id) == 0)
            return slot;
    }
}

/* Goes by the slots, not by the ids, which would have to be fetched from all over the memory. */
static void generation_grow(struct generation *generation)
{
    size_t capacity = generation->capacity * 2;
    struct slot *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        abort();
    for (size_t i = 0; i < generation->capacity; i++) {
        if (generation->slots[i].number == 0)
            continue;
        size_t at = generation->slots[i].hash & (capacity - 1);
        while (slots[at].number != 0)
            at = (at + 1) & (capacity - 1);
        slots[at] = generation->slots[i];
    }
    free(generation->slots);
    generation->slots = slots;
    generation->capacity = capacity;
}

struct id_index *id_index_create(uint32_t window)
{
    struct id_index *index = grown(NULL, 1, sizeof *index);
    index->window = window;
    generation_init(&index->young);
    generation_init(&index->old);
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
    if (index->window > 0)
        __builtin_prefetch(&old->slots[(uint32_t)hash & (old->capacity - 1)]);
}

static bool generation_find(const struct generation *generation, uint64_t hash, const char *id,
                            uint32_t *number)
{
    const struct slot *slot = generation_slot(generation, hash, id);
    if (slot->number == 0)
        return false;
    *number = slot->number - 1;
    return true;
}

bool id_index_find(const struct id_index *index, uint64_t hash, const char *id, uint32_t *number)
{
    return generation_find(&index->young, hash, id, number) ||
           (index->window > 0 && generation_find(&index->old, hash, id, number));
}

static void index_turn(struct id_index *index, uint32_t first)
{
    struct generation emptied = index->old;
    index->old = index->young;
    index->young = emptied;
    generation_clear(&index->young, first);
}

void id_index_add(struct id_index *index, uint64_t hash, const char *id, uint32_t number)
{
    if (index->window > 0 && index->young.count == index->window)
        index_turn(index, number);
    struct generation *young = &index->young;
    if (young->count * 3 >= young->capacity * 2)
        generation_grow(young);
    if (young->count == young->ids_capacity) {
        young->ids_capacity = young->ids_capacity ? young->ids_capacity * 2 : CAPACITY_FIRST;
        young->ids = grown(young->ids, young->ids_capacity, sizeof *young->ids);
    }
    assert(number == young->first + young->count);
    young->ids[young->count++] =
        index->window > 0 ? arena_strndup(&young->copies, id, strlen(id)) : id;
    young->last = generation_slot(young, hash, id);
    *young->last = (struct slot){(uint32_t)hash, number + 1};
}

void id_index_take_back(struct id_index *index)
{
    struct generation *young = &index->young;
    assert(young->last != NULL);
    *young->last = (struct slot){0};
    young->last = NULL;
    young->count--;
}
