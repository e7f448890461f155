/* memory_slots: one word for each of a growing row of numbers, in blocks that go when all of their
 * words are empty again: an endless row with few words in use needs little memory, and one of a
 * single word none but its own.
 * Stays where it is initialised. Embedded in store_memory, guarded by its lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMORY_SLOTS_IN_BLOCK = 1024 };

struct memory_slots_block;

struct memory_slots {
    struct memory_slots_block **blocks; /* of the numbers from first_block on; NULL: gone */
    union {
        uintptr_t word;                  /* blocks is NULL: of number 0 */
        struct memory_slots_block *only; /* else what blocks points to while there is one at most */
    };
    uint32_t first_block;
    uint32_t blocks_count, blocks_capacity;
    uint32_t added; /* the number that comes next */
    uint32_t used;  /* words that are not empty */
    bool sealed;
};

/* Makes an empty row; nothing is allocated yet. */
void memory_slots_init(struct memory_slots *slots);

/* Frees everything. */
void memory_slots_fini(struct memory_slots *slots);

/* Appends a word that is not 0 and returns its number; running out of memory aborts. */
uint32_t memory_slots_add(struct memory_slots *slots, uintptr_t word);

/* Says that nothing will be appended: the last block may go as well. */
void memory_slots_seal(struct memory_slots *slots);

/* Returns the word of a number, 0 if it is empty or was never appended. */
uintptr_t memory_slots_get(const struct memory_slots *slots, uint32_t number);

/* Replaces the word of a number whose word is not empty; 0 empties it for good. */
void memory_slots_set(struct memory_slots *slots, uint32_t number, uintptr_t word);

/* Finds the first word that is not empty at *number or behind; false if there is none. Skips blocks
 * that are gone. */
bool memory_slots_next(const struct memory_slots *slots, uint32_t *number);
