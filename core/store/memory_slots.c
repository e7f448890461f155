#include "store/memory_slots.h"
#include "support/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_WORDS = 2, SMALLEST_BLOCKS = 4 };

struct memory_slots_block {
    uint32_t used;
    uint32_t capacity; /* below MEMORY_SLOTS_IN_BLOCK only in the first block of a short row */
    uintptr_t words[];
};

void memory_slots_init(struct memory_slots *slots)
{
    *slots = (struct memory_slots){0};
}

/* Number 0 is all there may be in it. */
static bool is_single(const struct memory_slots *slots)
{
    return slots->blocks == NULL;
}

void memory_slots_fini(struct memory_slots *slots)
{
    for (uint32_t i = 0; i < slots->blocks_count; i++)
        free(slots->blocks[i]);
    if (slots->blocks != &slots->only)
        free(slots->blocks);
    memory_slots_init(slots);
}

/* Leaves out the blocks in front that are gone, when that is at least half of them. */
static void forget_front(struct memory_slots *slots)
{
    uint32_t gone = 0;

    while (gone < slots->blocks_count && slots->blocks[gone] == NULL)
        gone++;
    if (gone == 0 || gone < slots->blocks_count / 2)
        return;
    slots->blocks_count -= gone;
    slots->first_block += gone;
    memmove(slots->blocks, slots->blocks + gone, slots->blocks_count * sizeof(*slots->blocks));
}

static void grow_blocks(struct memory_slots *slots)
{
    bool leaves = slots->blocks == &slots->only;

    slots->blocks_capacity = leaves ? SMALLEST_BLOCKS : slots->blocks_capacity * 2;
    slots->blocks =
        memory_grow(leaves ? NULL : slots->blocks, slots->blocks_capacity, sizeof(*slots->blocks));
    if (leaves)
        slots->blocks[0] = slots->only;
}

static void append_block(struct memory_slots *slots)
{
    forget_front(slots);
    if (slots->blocks_count == slots->blocks_capacity)
        grow_blocks(slots);
    slots->blocks[slots->blocks_count++] = NULL;
}

static struct memory_slots_block *resize_block(struct memory_slots_block *block, uint32_t capacity)
{
    uint32_t used = block == NULL ? 0 : block->used;

    block = realloc(block, sizeof(*block) + capacity * sizeof(block->words[0]));
    if (block == NULL)
        abort();
    block->used = used;
    block->capacity = capacity;
    return block;
}

/* The word moves into a block. */
static void single_end(struct memory_slots *slots)
{
    uintptr_t word = slots->word;

    slots->only = resize_block(NULL, SMALLEST_WORDS);
    slots->only->words[0] = word;
    slots->only->used = word != 0;
    slots->blocks = &slots->only;
    slots->blocks_count = slots->blocks_capacity = 1;
}

uint32_t memory_slots_add(struct memory_slots *slots, uintptr_t word)
{
    uint32_t number = slots->added, at = number % MEMORY_SLOTS_IN_BLOCK;

    assert(word != 0 && !slots->sealed && number < UINT32_MAX);
    if (number == 0) {
        slots->word = word;
        slots->added = slots->used = 1;
        return 0;
    }
    if (is_single(slots))
        single_end(slots);
    if (at == 0)
        append_block(slots);
    struct memory_slots_block **block = &slots->blocks[slots->blocks_count - 1];
    if (*block == NULL)
        *block = resize_block(NULL, MEMORY_SLOTS_IN_BLOCK);
    else if (at == (*block)->capacity)
        *block = resize_block(*block, (*block)->capacity * 2);
    (*block)->words[at] = word;
    (*block)->used++;
    slots->added++;
    slots->used++;
    return number;
}

/* Returns the place of the block with a number; NULL if it was never there or is gone. */
static struct memory_slots_block **block_place(const struct memory_slots *slots, uint32_t number)
{
    uint32_t block = number / MEMORY_SLOTS_IN_BLOCK;

    if (number >= slots->added || block < slots->first_block)
        return NULL;
    struct memory_slots_block **place = &slots->blocks[block - slots->first_block];
    return *place == NULL ? NULL : place;
}

/* Frees a block without words, unless words will still be appended to it. */
static void free_if_empty(struct memory_slots *slots, struct memory_slots_block **place)
{
    bool last = place == &slots->blocks[slots->blocks_count - 1];
    bool filling = last && !slots->sealed && slots->added % MEMORY_SLOTS_IN_BLOCK != 0;

    if ((*place)->used > 0 || filling)
        return;
    free(*place);
    *place = NULL;
}

void memory_slots_seal(struct memory_slots *slots)
{
    slots->sealed = true;
    struct memory_slots_block **place =
        is_single(slots) ? NULL : block_place(slots, slots->added - 1);
    if (place != NULL)
        free_if_empty(slots, place);
}

uintptr_t memory_slots_get(const struct memory_slots *slots, uint32_t number)
{
    if (is_single(slots))
        return number == 0 ? slots->word : 0;
    struct memory_slots_block *const *place = block_place(slots, number);
    return place == NULL ? 0 : (*place)->words[number % MEMORY_SLOTS_IN_BLOCK];
}

void memory_slots_set(struct memory_slots *slots, uint32_t number, uintptr_t word)
{
    bool single = is_single(slots);
    struct memory_slots_block **place = single ? NULL : block_place(slots, number);
    uintptr_t *old = single ? &slots->word : &(*place)->words[number % MEMORY_SLOTS_IN_BLOCK];

    assert(*old != 0 && number < slots->added);
    *old = word;
    if (word != 0)
        return;
    slots->used--;
    if (single)
        return;
    (*place)->used--;
    free_if_empty(slots, place);
}

bool memory_slots_next(const struct memory_slots *slots, uint32_t *number)
{
    uint64_t at = *number;

    if (is_single(slots))
        return at == 0 && slots->word != 0;
    if (at / MEMORY_SLOTS_IN_BLOCK < slots->first_block)
        at = (uint64_t)slots->first_block * MEMORY_SLOTS_IN_BLOCK;
    while (at < slots->added) {
        struct memory_slots_block *const *place = block_place(slots, (uint32_t)at);
        if (place == NULL || (*place)->used == 0) {
            at = (at / MEMORY_SLOTS_IN_BLOCK + 1) * MEMORY_SLOTS_IN_BLOCK;
        } else if ((*place)->words[at % MEMORY_SLOTS_IN_BLOCK] == 0) {
            at++;
        } else {
            *number = (uint32_t)at;
            return true;
        }
    }
    return false;
}
