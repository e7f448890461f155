/* How many workers are awake is settled here and nowhere else. A thread is idle (waits), called
 * (was woken and has not come yet), brisk (looks at the ready list within BRISK_NS) or slow (is in
 * a long call). Called and starting ones count as brisk. Another one is called only if the backlog
 * is more than the brisk ones will have done by then; whoever takes work that leaves a backlog
 * behind asks again, so that the number follows the work without anyone counting it. */
#include <assert.h>
#include <stdlib.h>

#include "execute/internal.h"
#include "support/log.h"

struct pool *pool_of(struct executor *executor, struct generation *generation)
{
    MUTEX_GUARD(&executor->lock);
    if (generation->pool != NULL)
        return generation->pool;
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        abort();
    pool->executor = executor;
    pool->generation = generation;
    pool->ready_tail = &pool->ready;
    mutex_init(&pool->lock);
    cond_init(&pool->work);
    pool->serial = calloc(generation->offers_count, sizeof *pool->serial);
    if (pool->serial == NULL)
        abort();
    for (uint32_t i = 0; i < generation->offers_count; i++)
        mutex_init(&pool->serial[i]);
    pool->next = executor->pools;
    executor->pools = pool;
    generation->pool = pool;
    return pool;
}

void pool_push(struct pool *pool, struct group *group)
{
    MUTEX_GUARD(&pool->lock);
    group->next_ready = NULL;
    *pool->ready_tail = group;
    pool->ready_tail = &group->next_ready;
    pool->ready_count++;
}

static struct group *pop_ready(struct pool *pool)
{
    struct group *group = pool->ready;
    if (group == NULL)
        return NULL;
    pool->ready = group->next_ready;
    if (pool->ready == NULL)
        pool->ready_tail = &pool->ready;
    pool->ready_count--;
    return group;
}

bool pool_remove(struct pool *pool, struct group *group)
{
    MUTEX_GUARD(&pool->lock);
    struct group **at = &pool->ready;
    while (*at != NULL && *at != group)
        at = &(*at)->next_ready;
    if (*at == NULL)
        return false;
    *at = group->next_ready;
    if (*at == NULL)
        pool->ready_tail = at;
    pool->ready_count--;
    return true;
}

bool pool_call(struct pool *pool, int64_t backlog_ns)
{
    MUTEX_GUARD(&pool->lock);
    int64_t groups = pool->ready_count; /* the others are taken to have as much to do */
    if (groups == 0)
        return false;
    if (pool->brisk > 0 && backlog_ns / BRISK_NS * groups < (int64_t)pool->brisk)
        return false;
    if (pool->idle > 0) {
        pool->idle--;
        pool->called++;
        pool->brisk++;
        cond_signal(&pool->work); /* under the lock: afterwards the pool may be gone */
        return false;
    }
    if (pool->starting || pool->threads == POOL_WORKERS_MOST)
        return false;
    pool->starting = true;
    pool->threads++;
    pool->brisk++;
    return true;
}

static struct worker *take_left(struct pool *pool)
{
    MUTEX_GUARD(&pool->lock);
    struct worker *left = pool->left;
    pool->left = NULL;
    return left;
}

static void join_left(struct pool *pool)
{
    for (struct worker *worker = take_left(pool), *next; worker != NULL; worker = next) {
        next = worker->next_left;
        worker_join(&worker);
    }
}

void pool_start_thread(struct pool *pool)
{
    join_left(pool);
    struct error error;
    if (worker_start(pool, &error) != NULL)
        return;
    mutex_lock(&pool->lock);
    pool->starting = false;
    pool->threads--;
    pool->brisk--;
    bool alone = pool->threads == 0;
    mutex_unlock(&pool->lock);
    log_warning("a worker thread could not be started", LOG_TEXT("reason", error.message));
    if (alone)
        abort(); /* nobody would ever come for the tasks */
}

void pool_wake(struct pool *pool, int64_t backlog_ns)
{
    if (pool_call(pool, backlog_ns))
        pool_start_thread(pool);
}

/* Waits to be called, uncounted as brisk; whoever calls counts. False if nobody has for
 * WORKER_LINGER_NS or the pool stops. Lock held. */
static bool wait_for_call(struct pool *pool, struct worker *worker)
{
    int64_t until_ns = clock_now_ns() + WORKER_LINGER_NS;
    bool in_time = true;
    pool->brisk--;
    pool->idle++;
    atomic_store_explicit(&worker->slow, true, memory_order_relaxed);
    while (pool->called == 0 && !atomic_load(&pool->stopping) && in_time)
        in_time = cond_wait_until(&pool->work, &pool->lock, until_ns);
    if (pool->called == 0) {
        pool->idle--;
        return false;
    }
    pool->called--;
    atomic_store_explicit(&worker->slow, false, memory_order_relaxed);
    return true;
}

struct group *pool_next(struct pool *pool, struct worker *worker)
{
    MUTEX_GUARD(&pool->lock);
    if (!worker->arrived) {
        worker->arrived = true;
        pool->starting = false;
    }
    if (atomic_load_explicit(&worker->slow, memory_order_relaxed)) {
        atomic_store_explicit(&worker->slow, false, memory_order_relaxed);
        pool->brisk++;
    }
    struct group *group;
    while ((group = pop_ready(pool)) == NULL)
        if (!wait_for_call(pool, worker))
            return NULL;
    return group;
}

void pool_mark_slow(struct pool *pool, struct worker *worker)
{
    MUTEX_GUARD(&pool->lock);
    if (atomic_load_explicit(&worker->slow, memory_order_relaxed))
        return;
    atomic_store_explicit(&worker->slow, true, memory_order_relaxed);
    pool->brisk--;
}

void pool_leave(struct pool *pool, struct worker *worker)
{
    const struct executor_options *options = &pool->executor->options;
    mutex_lock(&pool->lock);
    worker->next_left = pool->left;
    pool->left = worker;
    pool->threads--;
    bool awaited = atomic_load(&pool->stopping);
    if (awaited)
        cond_broadcast(&pool->work); /* for pool_stop */
    mutex_unlock(&pool->lock);
    if (awaited)
        options->wake(options->context); /* for executor_drained */
}

void pool_close(struct pool *pool)
{
    MUTEX_GUARD(&pool->lock);
    atomic_store(&pool->stopping, true);
    cond_broadcast(&pool->work);
}

uint32_t pool_threads(struct pool *pool)
{
    MUTEX_GUARD(&pool->lock);
    return pool->threads;
}

static void wait_for_all(struct pool *pool)
{
    MUTEX_GUARD(&pool->lock);
    while (pool->threads > 0)
        cond_wait(&pool->work, &pool->lock);
}

void pool_stop(struct pool *pool)
{
    pool_close(pool);
    wait_for_all(pool);
    join_left(pool);
}

void pool_destroy(struct pool **pool_pointer)
{
    struct pool *pool = *pool_pointer;
    assert(pool->threads == 0 && pool->ready == NULL);
    cond_fini(&pool->work);
    mutex_fini(&pool->lock);
    for (uint32_t i = 0; i < pool->generation->offers_count; i++)
        mutex_fini(&pool->serial[i]);
    free(pool->serial);
    pool->generation->pool = NULL;
    free(pool);
    *pool_pointer = NULL;
}
