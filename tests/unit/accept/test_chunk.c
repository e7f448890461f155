#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "accept/chunk.h"

static struct job *const some_job = (struct job *)0x10;

static size_t spare_count(struct chunk_pool *pool)
{
    MUTEX_GUARD(&pool->lock);
    return pool->spare_count;
}

static struct chunk *filled_chunk(struct chunk_pool *pool, size_t count)
{
    struct chunk *chunk = chunk_open(pool, some_job);
    for (size_t i = 0; i < count; i++)
        cr_assert_not_null(chunk_add(chunk));
    return chunk;
}

Test(chunk, takes_256_tasks_and_no_more)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *chunk = filled_chunk(&pool, CHUNK_TASKS);
    cr_assert_null(chunk_add(chunk));
    cr_assert_eq(chunk_count(chunk), CHUNK_TASKS);
    chunk_seal(chunk);
    chunk_release(chunk, CHUNK_TASKS);
    chunk_pool_fini(&pool);
}

Test(chunk, goes_back_when_it_is_sealed_and_its_last_task_has_ended)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *chunk = filled_chunk(&pool, 3);
    chunk_release(chunk, 2);
    chunk_seal(chunk);
    cr_assert_eq(spare_count(&pool), 0);
    chunk_release(chunk, 1);
    cr_assert_eq(spare_count(&pool), 1);
    chunk_pool_fini(&pool);
}

Test(chunk, stays_open_although_all_its_tasks_have_ended)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *chunk = filled_chunk(&pool, 1);
    chunk_release(chunk, 1);
    cr_assert_eq(spare_count(&pool), 0);
    cr_assert_not_null(chunk_add(chunk));
    chunk_seal(chunk);
    cr_assert_eq(spare_count(&pool), 0);
    chunk_release(chunk, 1);
    cr_assert_eq(spare_count(&pool), 1);
    chunk_pool_fini(&pool);
}

Test(chunk, that_is_sealed_empty_goes_back_at_once)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *chunk = filled_chunk(&pool, 1);
    chunk_take_back(chunk);
    chunk_seal(chunk);
    cr_assert_eq(spare_count(&pool), 1);
    chunk_pool_fini(&pool);
}

Test(chunk, a_task_that_was_taken_back_does_not_count)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *chunk = filled_chunk(&pool, CHUNK_TASKS);
    chunk_take_back(chunk);
    cr_assert_not_null(chunk_add(chunk));
    chunk_take_back(chunk);
    chunk_seal(chunk);
    chunk_release(chunk, CHUNK_TASKS - 2);
    cr_assert_eq(spare_count(&pool), 0);
    chunk_release(chunk, 1);
    cr_assert_eq(spare_count(&pool), 1);
    chunk_pool_fini(&pool);
}

Test(chunk, comes_again_out_of_the_pool_with_clean_tasks)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *first = filled_chunk(&pool, 1);
    memset(chunk_task(first, 0), 0xff, sizeof(struct task));
    chunk_seal(first);
    chunk_release(first, 1);
    struct job *other_job = (struct job *)0x20;
    struct chunk *second = chunk_open(&pool, other_job);
    cr_assert_eq(second, first);
    cr_assert_eq(chunk_count(second), 0);
    struct task wanted = {.chunk = second, .job = other_job};
    cr_assert_arr_eq(chunk_add(second), &wanted, sizeof wanted);
    chunk_seal(second);
    chunk_release(second, 1);
    chunk_pool_fini(&pool);
}

Test(chunk, gives_memory_of_any_size_with_the_alignment_asked_for)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *chunk = filled_chunk(&pool, 1);
    for (size_t align = 1; align <= 16; align *= 2) {
        memset(chunk_alloc(chunk, 1, 1), 1, 1);
        void *memory = chunk_alloc(chunk, 100 * 1000, align);
        cr_assert_eq((uintptr_t)memory % align, 0);
        memset(memory, 1, 100 * 1000);
    }
    chunk_seal(chunk);
    chunk_release(chunk, 1);
    chunk_pool_fini(&pool);
}

Test(chunk, too_many_ends_are_a_bug, .signal = SIGABRT)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *chunk = filled_chunk(&pool, 2);
    chunk_release(chunk, CHUNK_TASKS + 2);
}

enum { RELEASERS = 4, CHUNKS = 200 };

struct releaser {
    struct thread thread;
    struct chunk **chunks;
};

/* Ends a quarter of every chunk's tasks, one by one. */
static void release_quarters(void *argument)
{
    struct releaser *releaser = argument;
    for (int i = 0; i < CHUNKS; i++)
        for (int task = 0; task < CHUNK_TASKS / RELEASERS; task++)
            chunk_release(releaser->chunks[i], 1);
}

Test(chunk, released_by_many_threads_goes_back_exactly_once)
{
    struct chunk *chunks[CHUNKS];
    struct releaser releasers[RELEASERS];
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    for (int i = 0; i < CHUNKS; i++) {
        chunks[i] = filled_chunk(&pool, CHUNK_TASKS);
        chunk_seal(chunks[i]);
    }
    for (int i = 0; i < RELEASERS; i++) {
        releasers[i].chunks = chunks;
        cr_assert(
            thread_start(&releasers[i].thread, "releaser", release_quarters, &releasers[i], NULL));
    }
    for (int i = 0; i < RELEASERS; i++)
        thread_join(&releasers[i].thread);
    cr_assert_eq(spare_count(&pool), CHUNKS);
    chunk_pool_fini(&pool);
}
