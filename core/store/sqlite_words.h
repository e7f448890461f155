/* sqlite_words: a word for each task of a job in the index of store_sqlite: which attempt is the
 * current one and what else the file has of it; 0 once it has ended. In blocks, which go when all
 * of their tasks have ended. Embedded in a job, guarded by the store's lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SQLITE_WORDS_IN_BLOCK = 1024 };

/* A word is the number of the attempt and these. */
#define SQLITE_WORD_PENDING (UINT32_C(1) << 31) /* it has a row in `pending` */
#define SQLITE_WORD_LOG     (UINT32_C(1) << 30) /* it has a row in `log` */
#define SQLITE_WORD_ATTEMPT (SQLITE_WORD_LOG - 1)

struct sqlite_words_block {
    uint32_t used;
    uint32_t capacity; /* below SQLITE_WORDS_IN_BLOCK only in the first block of a short row */
    uint32_t words[];
};

struct sqlite_words {
    struct sqlite_words_block **blocks; /* NULL: all of its tasks have ended */
    uint32_t blocks_count;              /* capacity: the next power of two */
    uint32_t count;                     /* of tasks */
    uint32_t used;                      /* of them have not ended */
};

/* Frees everything; a zeroed one is an empty row. */
void sqlite_words_fini(struct sqlite_words *words);

/* Appends tasks: with the word of a first attempt, or (0) such as have ended. */
void sqlite_words_add(struct sqlite_words *words, uint32_t count, uint32_t word);

/* Returns the word of a task; 0 for what was never appended. */
static inline uint32_t sqlite_words_get(const struct sqlite_words *words, uint32_t number)
{
    if (number >= words->count)
        return 0;
    const struct sqlite_words_block *block = words->blocks[number / SQLITE_WORDS_IN_BLOCK];
    return block == NULL ? 0 : block->words[number % SQLITE_WORDS_IN_BLOCK];
}

/* Replaces the word of a task that was appended. Returns whether that was the last one in its
 * block that had not ended. */
bool sqlite_words_set(struct sqlite_words *words, uint32_t number, uint32_t word);

/* Says that all tasks of a block have ended. */
void sqlite_words_clear(struct sqlite_words *words, uint32_t block);
