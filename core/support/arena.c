#include "support/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *previous;
    size_t capacity;
    _Alignas(16) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t block_bytes, size_t limit_bytes)
{
    assert(block_bytes > 0);
    *arena = (struct arena){.block_bytes = block_bytes, .limit_bytes = limit_bytes};
}

static void blocks_free(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *previous = block->previous;
        free(block);
        block = previous;
    }
}

void arena_fini(struct arena *arena)
{
    blocks_free(arena->block);
    arena->block = NULL;
    arena->used_bytes = 0;
    arena->total_bytes = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->block;

    /* One huge request must not pin its memory for good. */
    if (kept != NULL && kept->capacity > arena->block_bytes) {
        blocks_free(kept);
        kept = NULL;
    } else if (kept != NULL) {
        blocks_free(kept->previous);
        kept->previous = NULL;
    }
    arena->block = kept;
    arena->used_bytes = 0;
    arena->total_bytes = 0;
}

static struct arena_block *block_create(size_t capacity)
{
    if (capacity > SIZE_MAX - sizeof(struct arena_block))
        return NULL;
    struct arena_block *block = malloc(sizeof(struct arena_block) + capacity);
    if (block != NULL)
        block->capacity = capacity;
    return block;
}

/* A block of its own for a request over the usual size: behind the newest, whose rest stays in
 * use. */
static void *alloc_apart(struct arena *arena, size_t bytes)
{
    struct arena_block *block = block_create(bytes);

    if (block == NULL)
        return NULL;
    if (arena->block == NULL) {
        block->previous = NULL;
        arena->block = block;
        arena->used_bytes = bytes;
    } else {
        block->previous = arena->block->previous;
        arena->block->previous = block;
    }
    return block->bytes;
}

static void *alloc_from_new_block(struct arena *arena, size_t bytes)
{
    struct arena_block *block = block_create(arena->block_bytes);

    if (block == NULL)
        return NULL;
    block->previous = arena->block;
    arena->block = block;
    arena->used_bytes = bytes;
    return block->bytes;
}

static void *alloc_anywhere(struct arena *arena, size_t bytes, size_t align)
{
    if (arena->block != NULL) {
        size_t begin = (arena->used_bytes + align - 1) & ~(align - 1);
        if (begin <= arena->block->capacity && bytes <= arena->block->capacity - begin) {
            arena->used_bytes = begin + bytes;
            return arena->block->bytes + begin;
        }
    }
    return bytes > arena->block_bytes ? alloc_apart(arena, bytes)
                                      : alloc_from_new_block(arena, bytes);
}

void *arena_alloc(struct arena *arena, size_t bytes, size_t align)
{
    assert(align > 0 && align <= 16 && (align & (align - 1)) == 0);
    if (arena->limit_bytes != 0 && bytes > arena->limit_bytes - arena->total_bytes)
        return NULL;
    void *memory = alloc_anywhere(arena, bytes, align);
    if (memory != NULL)
        arena->total_bytes += bytes;
    return memory;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    if (length == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(arena, length + 1, 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}
