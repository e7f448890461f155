/* heap: a priority queue of pointers by a 64-bit key, smallest first, equal keys in the order they
 * came. Embedded by its owner; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_entry {
    int64_t key;
    uint64_t order;
    void *item;
};

struct heap {
    struct heap_entry *entries;
    size_t count;
    size_t capacity;
    uint64_t pushed;
};

typedef bool heap_matches(void *context, void *item);
typedef void heap_take(void *context, void *item);

/* Makes an empty heap; nothing is allocated yet. */
void heap_init(struct heap *heap);

/* Frees the heap, not the items. */
void heap_fini(struct heap *heap);

/* Adds an item; running out of memory aborts. O(log n). */
void heap_push(struct heap *heap, int64_t key, void *item);

/* Returns the smallest key, or INT64_MAX if the heap is empty. O(1). */
int64_t heap_key(const struct heap *heap);

/* Takes the item with the smallest key out; NULL if the heap is empty. O(log n). */
void *heap_pop(struct heap *heap);

/* Takes out every item that matches and hands it to take(context, item); O(n). */
void heap_remove_if(struct heap *heap, heap_matches *matches, heap_take *take, void *context);
