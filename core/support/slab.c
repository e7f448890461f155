#include "support/slab.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096, BLOCK_BYTES = 64 * 1024 };

/* The address sanitizer is told which pieces are free. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(from, bytes)   ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(from, bytes) ((void)0)
#endif

/* Stands before what its user gets. */
struct piece {
    alignas(max_align_t) union {
        struct slab_block *block; /* in use */
        struct piece *next;       /* free */
    };
};

struct slab_block {
    TAILQ_ENTRY(slab_block) link;
    size_t used;
    struct piece *free;        /* that were in use once */
    unsigned char *next, *end; /* those from next on were never in use */
    alignas(max_align_t) unsigned char pieces[];
};

void slab_init(struct slab *slab, size_t bytes)
{
    size_t whole = alignof(max_align_t);

    slab->piece_bytes = (sizeof(struct piece) + bytes + whole - 1) / whole * whole;
    assert(sizeof(struct slab_block) + slab->piece_bytes <= BLOCK_BYTES);
    TAILQ_INIT(&slab->blocks);
    slab->blocks_count = 0;
}

static void block_free(struct slab *slab, struct slab_block *block)
{
    TAILQ_REMOVE(&slab->blocks, block, link);
    slab->blocks_count--;
    ASAN_UNPOISON_MEMORY_REGION(block, BLOCK_BYTES);
    free(block);
}

void slab_fini(struct slab *slab)
{
    for (struct slab_block *block; (block = TAILQ_FIRST(&slab->blocks)) != NULL;) {
        assert(block->used == 0);
        block_free(slab, block);
    }
}

static bool is_full(const struct slab *slab, const struct slab_block *block)
{
    return block->free == NULL && (size_t)(block->end - block->next) < slab->piece_bytes;
}

static struct slab_block *block_make(struct slab *slab)
{
    struct slab_block *block = aligned_alloc(PAGE_BYTES, BLOCK_BYTES);

    if (block == NULL)
        abort();
    /* One call instead of a fault for each page; a kernel that does not know it changes nothing. */
    madvise(block, BLOCK_BYTES, MADV_POPULATE_WRITE);
    *block =
        (struct slab_block){.next = block->pieces, .end = (unsigned char *)block + BLOCK_BYTES};
    TAILQ_INSERT_HEAD(&slab->blocks, block, link);
    slab->blocks_count++;
    return block;
}

static struct piece *block_take(struct slab *slab, struct slab_block *block)
{
    struct piece *piece = block->free;

    if (piece != NULL) {
        block->free = piece->next;
    } else {
        piece = (struct piece *)block->next;
        block->next += slab->piece_bytes;
    }
    block->used++;
    return piece;
}

/* A block that has become full goes to the end, where the full ones are. */
void *slab_alloc(struct slab *slab)
{
    struct slab_block *block = TAILQ_FIRST(&slab->blocks);

    if (block == NULL || is_full(slab, block))
        block = block_make(slab);
    struct piece *piece = block_take(slab, block);
    piece->block = block;
    if (is_full(slab, block)) {
        TAILQ_REMOVE(&slab->blocks, block, link);
        TAILQ_INSERT_TAIL(&slab->blocks, block, link);
    }
    ASAN_UNPOISON_MEMORY_REGION(piece + 1, slab->piece_bytes - sizeof(*piece));
    return piece + 1;
}

/* The last block with room stays, also if it is empty: else one that is taken and given back at its
 * end would be allocated and freed for each piece. */
static bool is_needed(const struct slab *slab, const struct slab_block *block)
{
    struct slab_block *first = TAILQ_FIRST(&slab->blocks);
    struct slab_block *second = TAILQ_NEXT(first, link);

    return block->used > 0 || (first == block && (second == NULL || is_full(slab, second)));
}

void slab_free(struct slab *slab, void *memory)
{
    struct piece *piece = (struct piece *)memory - 1;
    struct slab_block *block = piece->block;

    assert(block->used > 0);
    if (is_full(slab, block)) {
        TAILQ_REMOVE(&slab->blocks, block, link);
        TAILQ_INSERT_HEAD(&slab->blocks, block, link);
    }
    piece->next = block->free;
    block->free = piece;
    block->used--;
    ASAN_POISON_MEMORY_REGION(memory, slab->piece_bytes - sizeof(*piece));
    if (!is_needed(slab, block))
        block_free(slab, block);
}
