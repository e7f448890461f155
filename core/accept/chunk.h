/* chunk: the memory of 256 tasks of one job with their ids, labels and parameters; goes back to its
 * pool when the last of them has ended. A reader thread fills it, then any thread may lower its
 * count. One for a job that never has more than one task is smaller and holds the job, too: so a
 * single task costs no allocation. The pool belongs to the host and outlives every chunk. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/task.h"
#include "support/thread.h"

enum { CHUNK_TASKS = 256 };

struct chunk_pool {
    struct mutex lock;
    struct chunk *spare; /* guarded by lock, as are the next two */
    size_t spare_count;
    struct chunk *singles;            /* ready to be taken */
    _Atomic(struct chunk *) returned; /* singles; who gives one back holds up nobody */
    atomic_size_t singles_count;      /* of both */
};

/* Makes an empty pool. */
void chunk_pool_init(struct chunk_pool *pool);

/* Frees the spare chunks; all others have come back. */
void chunk_pool_fini(struct chunk_pool *pool);

/* Takes a chunk out of the pool or makes one; it is open: it will not go before chunk_seal. Running
 * out of memory aborts. */
struct chunk *chunk_open(struct chunk_pool *pool, struct job *job);

/* The same for a chunk of one task with memory for its job, as large with each call of a pool. It
 * stays until one chunk_release more. */
struct chunk *chunk_open_single(struct chunk_pool *pool, size_t job_bytes);

/* Returns the memory for the job of a chunk of one task, not zeroed. */
struct job *chunk_job_room(struct chunk *chunk);

/* Opens a chunk of one task anew, which has been sealed and has no task any more. */
void chunk_reopen(struct chunk *chunk);

/* Returns whether chunk_add has another task to give. Filling thread. */
bool chunk_is_full(const struct chunk *chunk);

/* Returns the next task of an open chunk, zeroed but for chunk and job; NULL if all are taken.
 * Filling thread. */
struct task *chunk_add(struct chunk *chunk);

/* Takes back the last task that chunk_add gave, unused. Filling thread. */
void chunk_take_back(struct chunk *chunk);

/* Returns bytes of the chunk's memory, aligned to align (a power of two, at most 16), valid as long
 * as the chunk. Filling thread. */
void *chunk_alloc(struct chunk *chunk, size_t bytes, size_t align);

/* Says that nothing is added any more: when all its tasks have ended, the chunk goes back to the
 * pool (perhaps at once). */
void chunk_seal(struct chunk *chunk);

/* Keeps an open chunk until one more chunk_release. Filling thread. */
void chunk_keep(struct chunk *chunk);

/* Says that count of its tasks have ended and are not touched any more. Any thread. */
void chunk_release(struct chunk *chunk, uint32_t count);

/* Returns how many tasks were added. Filling thread, or when nothing is added any more. */
size_t chunk_count(const struct chunk *chunk);

/* Returns the task at an index below that count: for walking tasks before they start. */
struct task *chunk_task(struct chunk *chunk, size_t index);
