#include "support/heap.h"
#include "support/memory.h"

#include <stdlib.h>

enum { HEAP_SMALLEST_COUNT = 16 };

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_fini(struct heap *heap)
{
    free(heap->entries);
    heap_init(heap);
}

static bool entry_before(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void heap_grow(struct heap *heap)
{
    size_t capacity = heap->capacity == 0 ? HEAP_SMALLEST_COUNT : heap->capacity * 2;
    struct heap_entry *entries = memory_grow(heap->entries, capacity, sizeof(*entries));
    heap->entries = entries;
    heap->capacity = capacity;
}

/* Puts the entry at the hole or above it, where its parent comes before it. */
static void sift_up(struct heap *heap, size_t hole, struct heap_entry entry)
{
    while (hole > 0) {
        size_t parent = (hole - 1) / 2;
        if (!entry_before(&entry, &heap->entries[parent]))
            break;
        heap->entries[hole] = heap->entries[parent];
        hole = parent;
    }
    heap->entries[hole] = entry;
}

/* Puts the entry at the hole or below it, where it comes before its children. */
static void sift_down(struct heap *heap, size_t hole, struct heap_entry entry)
{
    for (size_t child = 2 * hole + 1; child < heap->count; child = 2 * hole + 1) {
        if (child + 1 < heap->count &&
            entry_before(&heap->entries[child + 1], &heap->entries[child]))
            child++;
        if (!entry_before(&heap->entries[child], &entry))
            break;
        heap->entries[hole] = heap->entries[child];
        hole = child;
    }
    heap->entries[hole] = entry;
}

void heap_push(struct heap *heap, int64_t key, void *item)
{
    if (heap->count == heap->capacity)
        heap_grow(heap);
    struct heap_entry entry = {.key = key, .order = heap->pushed++, .item = item};
    sift_up(heap, heap->count++, entry);
}

int64_t heap_key(const struct heap *heap)
{
    return heap->count == 0 ? INT64_MAX : heap->entries[0].key;
}

void *heap_pop(struct heap *heap)
{
    if (heap->count == 0)
        return NULL;
    void *item = heap->entries[0].item;
    struct heap_entry last = heap->entries[--heap->count];
    if (heap->count > 0)
        sift_down(heap, 0, last);
    return item;
}

void heap_remove_if(struct heap *heap, heap_matches *matches, heap_take *take, void *context)
{
    size_t kept = 0;

    for (size_t i = 0; i < heap->count; i++) {
        if (matches(context, heap->entries[i].item))
            take(context, heap->entries[i].item);
        else
            heap->entries[kept++] = heap->entries[i];
    }
    heap->count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        sift_down(heap, i, heap->entries[i]);
}
