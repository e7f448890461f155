#include "store/sqlite_words.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

enum { SMALLEST_WORDS = 2 };

void sqlite_words_fini(struct sqlite_words *words)
{
    for (uint32_t i = 0; i < words->blocks_count; i++)
        free(words->blocks[i]);
    free(words->blocks);
    *words = (struct sqlite_words){0};
}

static uint32_t capacity_for(uint32_t count)
{
    uint32_t capacity = SMALLEST_WORDS;
    while (capacity < count)
        capacity *= 2;
    return capacity;
}

/* Returns a block with room for so many words; those behind the old ones are 0. */
static struct sqlite_words_block *block_grow(struct sqlite_words_block *block, uint32_t count)
{
    uint32_t had = block == NULL ? 0 : block->capacity;
    uint32_t capacity = capacity_for(count);

    if (had >= capacity)
        return block;
    block = memory_grow(block, 1, sizeof(*block) + capacity * sizeof(block->words[0]));
    memset(block->words + had, 0, (capacity - had) * sizeof(block->words[0]));
    if (had == 0)
        block->used = 0;
    block->capacity = capacity;
    return block;
}

/* How long a block may become, as the row is now. */
static uint32_t block_most(const struct sqlite_words *words, uint32_t block)
{
    return block == 0 && words->count <= SQLITE_WORDS_IN_BLOCK ? words->count
                                                               : SQLITE_WORDS_IN_BLOCK;
}

static struct sqlite_words_block *block_get(struct sqlite_words *words, uint32_t block)
{
    words->blocks[block] = block_grow(words->blocks[block], block_most(words, block));
    return words->blocks[block];
}

static void add_block(struct sqlite_words *words)
{
    uint32_t count = words->blocks_count;

    if ((count & (count - 1)) == 0)
        words->blocks =
            memory_grow(words->blocks, count == 0 ? 1 : 2 * (size_t)count, sizeof(*words->blocks));
    words->blocks[words->blocks_count++] = NULL;
}

void sqlite_words_add(struct sqlite_words *words, uint32_t count, uint32_t word)
{
    while (count > 0) {
        uint32_t at = words->count % SQLITE_WORDS_IN_BLOCK;
        uint32_t room = SQLITE_WORDS_IN_BLOCK - at, some = count < room ? count : room;

        if (at == 0)
            add_block(words);
        words->count += some;
        count -= some;
        if (word == 0)
            continue;
        struct sqlite_words_block *block = block_get(words, words->blocks_count - 1);
        for (uint32_t i = 0; i < some; i++)
            block->words[at + i] = word;
        block->used += some;
        words->used += some;
    }
}

bool sqlite_words_set(struct sqlite_words *words, uint32_t number, uint32_t word)
{
    uint32_t block = number / SQLITE_WORDS_IN_BLOCK, at = number % SQLITE_WORDS_IN_BLOCK;

    assert(number < words->count);
    if (word == 0 && words->blocks[block] == NULL)
        return false;
    struct sqlite_words_block *in = block_get(words, block);
    uint32_t had = in->words[at] != 0, has = word != 0;
    in->words[at] = word;
    in->used = in->used - had + has;
    words->used = words->used - had + has;
    if (in->used > 0 || had == 0)
        return false;
    free(in);
    words->blocks[block] = NULL;
    return true;
}

void sqlite_words_clear(struct sqlite_words *words, uint32_t block)
{
    if (block >= words->blocks_count || words->blocks[block] == NULL)
        return;
    words->used -= words->blocks[block]->used;
    free(words->blocks[block]);
    words->blocks[block] = NULL;
}
