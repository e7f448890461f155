#include "accept/chunk.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/arena.h"

enum {
    BYTES_BLOCK = 8 * 1024, /* ids and parameters of 256 small tasks */
    SINGLE_BLOCK = 256,     /* of one */
    SPARE_MOST = 1024,      /* chunks that a pool keeps: 10 MB, more than a stream's window needs */
    SINGLES_MOST = 4096,    /* of those of one task, likewise: 4 MB, more than end between sweeps */
};

/* Behind the task of a single one: the memory for its job. */
struct chunk {
    struct chunk *next; /* in the pool */
    struct chunk_pool *pool;
    struct job *job;
    uint32_t capacity;
    uint32_t count;       /* filling thread */
    _Atomic uint32_t due; /* tasks not yet added or ended, plus one until it is sealed */
    struct arena bytes;   /* filling thread */
    _Alignas(THREAD_LINE_BYTES) struct task tasks[];
};

void chunk_pool_init(struct chunk_pool *pool)
{
    *pool = (struct chunk_pool){0};
    mutex_init(&pool->lock);
}

static void chunk_free(struct chunk *chunk)
{
    arena_fini(&chunk->bytes);
    free(chunk);
}

static void chunks_free(struct chunk *chunks)
{
    for (struct chunk *chunk; (chunk = chunks) != NULL;) {
        chunks = chunk->next;
        chunk_free(chunk);
    }
}

void chunk_pool_fini(struct chunk_pool *pool)
{
    chunks_free(pool->spare);
    chunks_free(pool->singles);
    chunks_free(atomic_load(&pool->returned));
    mutex_fini(&pool->lock);
}

static struct chunk *pool_take(struct chunk_pool *pool)
{
    MUTEX_GUARD(&pool->lock);
    struct chunk *chunk = pool->spare;
    if (chunk != NULL) {
        pool->spare = chunk->next;
        pool->spare_count--;
    }
    return chunk;
}

/* A chunk comes back with its task from whoever ended that, on another processor: it is fetched
 * while the one before it is filled. */
static void expect_single(const struct chunk *chunk, size_t job_bytes)
{
    const char *end = (const char *)(chunk->tasks + 1) + job_bytes;
    for (const char *line = (const char *)chunk; line < end; line += THREAD_LINE_BYTES)
        __builtin_prefetch(line, 1);
}

static struct chunk *pool_take_single(struct chunk_pool *pool, size_t job_bytes)
{
    MUTEX_GUARD(&pool->lock);
    if (pool->singles == NULL)
        pool->singles = atomic_exchange(&pool->returned, NULL);
    struct chunk *chunk = pool->singles;
    if (chunk != NULL) {
        pool->singles = chunk->next;
        if (chunk->next != NULL)
            expect_single(chunk->next, job_bytes);
        atomic_fetch_sub_explicit(&pool->singles_count, 1, memory_order_relaxed);
    }
    return chunk;
}

static bool pool_keep_single(struct chunk_pool *pool, struct chunk *chunk)
{
    size_t before = atomic_fetch_add_explicit(&pool->singles_count, 1, memory_order_relaxed);
    if (before >= SINGLES_MOST) {
        atomic_fetch_sub_explicit(&pool->singles_count, 1, memory_order_relaxed);
        return false;
    }
    chunk->next = atomic_load_explicit(&pool->returned, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&pool->returned, &chunk->next, chunk))
        ;
    return true;
}

static bool is_single(const struct chunk *chunk)
{
    return chunk->capacity == 1;
}

static bool pool_keep(struct chunk_pool *pool, struct chunk *chunk)
{
    if (is_single(chunk))
        return pool_keep_single(pool, chunk);
    MUTEX_GUARD(&pool->lock);
    if (pool->spare_count == SPARE_MOST)
        return false;
    chunk->next = pool->spare;
    pool->spare = chunk;
    pool->spare_count++;
    return true;
}

static struct chunk *chunk_make(uint32_t capacity, size_t job_bytes, size_t block_bytes)
{
    size_t bytes = sizeof(struct chunk) + capacity * sizeof(struct task) + job_bytes;
    size_t lines = (bytes + THREAD_LINE_BYTES - 1) / THREAD_LINE_BYTES;
    struct chunk *chunk = aligned_alloc(THREAD_LINE_BYTES, lines * THREAD_LINE_BYTES);
    if (chunk == NULL)
        abort();
    chunk->capacity = capacity;
    arena_init(&chunk->bytes, block_bytes, 0);
    return chunk;
}

static struct chunk *chunk_begin(struct chunk *chunk, struct chunk_pool *pool, struct job *job)
{
    chunk->pool = pool;
    chunk->job = job;
    chunk->count = 0;
    atomic_store_explicit(&chunk->due, chunk->capacity + 1, memory_order_relaxed);
    return chunk;
}

struct chunk *chunk_open(struct chunk_pool *pool, struct job *job)
{
    struct chunk *chunk = pool_take(pool);
    return chunk_begin(chunk != NULL ? chunk : chunk_make(CHUNK_TASKS, 0, BYTES_BLOCK), pool, job);
}

struct chunk *chunk_open_single(struct chunk_pool *pool, size_t job_bytes)
{
    struct chunk *chunk = pool_take_single(pool, job_bytes);
    if (chunk == NULL)
        chunk = chunk_make(1, job_bytes, SINGLE_BLOCK);
    chunk_begin(chunk, pool, chunk_job_room(chunk));
    chunk_keep(chunk);
    return chunk;
}

struct job *chunk_job_room(struct chunk *chunk)
{
    assert(is_single(chunk));
    return (struct job *)(chunk->tasks + 1);
}

void chunk_reopen(struct chunk *chunk)
{
    assert(is_single(chunk) && atomic_load(&chunk->due) == 1);
    arena_reset(&chunk->bytes);
    chunk_begin(chunk, chunk->pool, chunk->job);
    chunk_keep(chunk);
}

bool chunk_is_full(const struct chunk *chunk)
{
    return chunk->count == chunk->capacity;
}

struct task *chunk_add(struct chunk *chunk)
{
    if (chunk_is_full(chunk))
        return NULL;
    struct task *task = &chunk->tasks[chunk->count++];
    *task = (struct task){.chunk = chunk, .job = chunk->job};
    return task;
}

void chunk_take_back(struct chunk *chunk)
{
    assert(chunk->count > 0);
    chunk->count--;
}

void *chunk_alloc(struct chunk *chunk, size_t bytes, size_t align)
{
    void *memory = arena_alloc(&chunk->bytes, bytes, align);
    if (memory == NULL)
        abort();
    return memory;
}

static void chunk_lower(struct chunk *chunk, uint32_t by)
{
    uint32_t before = atomic_fetch_sub_explicit(&chunk->due, by, memory_order_acq_rel);
    assert(before >= by);
    if (before > by)
        return;
    arena_reset(&chunk->bytes);
    if (!pool_keep(chunk->pool, chunk))
        chunk_free(chunk);
}

void chunk_seal(struct chunk *chunk)
{
    chunk_lower(chunk, chunk->capacity - chunk->count + 1);
}

void chunk_keep(struct chunk *chunk)
{
    atomic_fetch_add_explicit(&chunk->due, 1, memory_order_relaxed);
}

void chunk_release(struct chunk *chunk, uint32_t count)
{
    chunk_lower(chunk, count);
}

size_t chunk_count(const struct chunk *chunk)
{
    return chunk->count;
}

struct task *chunk_task(struct chunk *chunk, size_t index)
{
    assert(index < chunk->count);
    return &chunk->tasks[index];
}
