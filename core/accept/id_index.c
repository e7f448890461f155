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
    uint32_t hash;   /* its low half */
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
    for (size_t at = (size_t)(hash >> 32) & mask;; at = (at + 1) & mask) {
        struct slot *slot = &generation->slots[at];
        if (slot->number == 0)
            return slot;
        if (slot->hash == (uint32_t)hash &&
            strcmp(generation->ids[slot->number - 1 - generation->first], id) == 0)
            return slot;
    }
}

static void generation_grow(struct generation *generation)
{
    struct generation larger = *generation;
    larger.capacity *= 2;
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (larger.slots == NULL)
        abort();
    for (size_t i = 0; i < generation->count; i++) {
        const char *id = generation->ids[i];
        uint64_t hash = id_index_hash(id, strlen(id));
        *generation_slot(&larger, hash, id) =
            (struct slot){(uint32_t)hash, (uint32_t)i + generation->first + 1};
    }
    free(generation->slots);
    *generation = larger;
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

/* FNV-1a over eight bytes at a time, then mixed: ids are short and mostly differ in their last
 * letters. */
uint64_t id_index_hash(const char *id, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ length;
    while (length > 0) {
        size_t step = length < 8 ? length : 8;
        uint64_t word = 0;
        memcpy(&word, id, step);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
        id += step;
        length -= step;
    }
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 32;
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
