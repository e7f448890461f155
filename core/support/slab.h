/* slab: memory in pieces of one size, for what comes and goes in great numbers, also on different
 * threads. The pieces stand in blocks, so that the allocator is asked once for many of them; a
 * block goes when none of its pieces is in use. Embedded by its owner; one thread at a time. The
 * idea is Jeff Bonwick's, "The Slab Allocator", USENIX Summer 1994. */
#pragma once

#include <stddef.h>
#include <sys/queue.h>

struct slab {
    size_t piece_bytes;                         /* with what stands before a piece */
    TAILQ_HEAD(slab_blocks, slab_block) blocks; /* with room come first */
    size_t blocks_count;
};

/* Makes an empty slab of pieces of so many bytes. */
void slab_init(struct slab *slab, size_t bytes);

/* Frees the blocks; no piece may be in use. */
void slab_fini(struct slab *slab);

/* Returns a piece that is fit for any object of its size; running out of memory aborts. */
void *slab_alloc(struct slab *slab);

/* Takes a piece back. */
void slab_free(struct slab *slab, void *piece);
