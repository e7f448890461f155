/* arena: memory that is given out by moving a pointer and let go all at once. Embedded by its
 * owner; one thread at a time. A reset keeps the first block, so that a reused arena allocates
 * nothing. */
#pragma once

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *block; /* the newest; NULL before the first allocation */
    size_t used_bytes;         /* in the newest block */
    size_t total_bytes;        /* given out since the last reset */
    size_t block_bytes;        /* the usual size of a block */
    size_t limit_bytes;        /* of total_bytes; 0: none */
};

/* Makes an arena ready whose blocks usually have block_bytes; nothing is allocated yet. limit_bytes
 * 0 means no limit. */
void arena_init(struct arena *arena, size_t block_bytes, size_t limit_bytes);

/* Frees everything. */
void arena_fini(struct arena *arena);

/* Takes everything back; keeps one block for the next use. */
void arena_reset(struct arena *arena);

/* Returns bytes of memory, not zeroed, aligned to align (a power of two, at most 16), valid until
 * the next reset; NULL if the limit or the memory is out. */
void *arena_alloc(struct arena *arena, size_t bytes, size_t align);

/* Returns a copy of length bytes of text with a NUL behind; NULL as arena_alloc. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
