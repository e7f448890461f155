/* How many workers are awake is settled here and nowhere else. A thread is idle (waits), called
 * (was woken and has not come yet), brisk (looks at the ready list within BRISK_NS, or just now: it
 * looks on) or slow (is in a long call). Called and starting ones count as brisk. Another one is
 * called only if the backlog is more than the brisk ones will have done by then; whoever takes work
 * that leaves a backlog behind asks again, so that the number follows the work without anyone
 * counting it. */
#include <assert.h>
#include <stdlib.h>

#include "execute/internal.h"
#include "support/log.h"

static struct pool *pool_create(struct executor *executor, struct generation *generation)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        abort();
    pool->executor = executor;
    pool->generation = generation;
    pool->ready_tail = &pool->ready;
    mutex_init(&pool->lock);
    cond_init(&pool->work);
    cond_init(&pool->rest);
    pool->turns = calloc(generation->offers_count, sizeof *pool->turns);
    if (pool->turns == NULL)
        abort();
    return pool;
}

struct pool *pool_of(struct executor *executor, struct generation *generation)
{
    struct pool *pool = atomic_load_explicit(&generation->pool, memory_order_acquire);
    if (pool != NULL)
        return pool;
    MUTEX_GUARD(&executor->lock);
    if ((pool = generation->pool) != NULL)
        return pool;
    pool = pool_create(executor, generation);
    pool->next = executor->pools;
    executor->pools = pool;
    generation->pool = pool;
    return pool;
}

/* Whether the brisk ones will do for a backlog; the groups behind it are taken to have as much to
 * do. Where calls are long each group on the list has work for one more, and whoever takes it puts
 * the group back on the list if there is more. Lock held. */
static bool brisk_suffice(const struct pool *pool, int64_t backlog_ns)
{
    int64_t groups = pool->ready_count;
    int64_t wanted = backlog_ns == CLOCK_NEVER_NS ? groups : backlog_ns / BRISK_NS * groups + 1;
    return wanted <= (int64_t)pool->brisk;
}

/* Sees to it that enough workers are awake for a backlog. True: one more thread is needed, and the
 * pool stays until pool_start_thread was called. Lock held. */
static bool call_worker(struct pool *pool, int64_t backlog_ns)
{
    if (pool->ready_count == 0 || brisk_suffice(pool, backlog_ns))
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

bool pool_push(struct pool *pool, struct group *group, int64_t backlog_ns)
{
    MUTEX_GUARD(&pool->lock);
    pool_push_ready(pool, group);
    return call_worker(pool, backlog_ns);
}

static struct worker *take_left(struct pool *pool)
{
    MUTEX_GUARD(&pool->lock);
    struct worker *left = pool->left;
    pool->left = NULL;
    return left;
}

static void put_left(struct pool *pool, struct worker *worker)
{
    MUTEX_GUARD(&pool->lock);
    worker->next_left = pool->left;
    pool->left = worker;
}

/* A thread that has left may still be in a thread-local destructor of its plugin: it is not waited
 * for beyond the deadline. */
static bool join_left(struct pool *pool, int64_t deadline_ns)
{
    bool joined = true;
    for (struct worker *worker = take_left(pool), *next; worker != NULL; worker = next) {
        next = worker->next_left;
        if (worker_join(&worker, deadline_ns))
            continue;
        put_left(pool, worker);
        joined = false;
    }
    return joined;
}

void pool_start_thread(struct pool *pool)
{
    join_left(pool, 0);
    struct error error;
    if (worker_start(pool, &error) != NULL)
        return;
    mutex_lock(&pool->lock);
    pool->starting = false;
    pool->threads--;
    pool->brisk--;
    bool first = !pool->refused;
    pool->refused = true;
    mutex_unlock(&pool->lock);
    if (first)
        log_warning("a worker thread cannot be started, trying again",
                    LOG_TEXT("plugin", pool->generation->plugin),
                    LOG_TEXT("reason", error.message));
}

bool pool_is_refused(struct pool *pool)
{
    MUTEX_GUARD(&pool->lock);
    return pool->refused && pool->ready != NULL;
}

static bool call_if_ready(struct pool *pool, int64_t backlog_ns)
{
    MUTEX_GUARD(&pool->lock);
    return call_worker(pool, backlog_ns);
}

/* Without the lock: who pushes a group calls for it himself, going by who is brisk then, and a
 * worker that has stopped being brisk, under the lock, sees what was pushed before. */
void pool_wake(struct pool *pool, int64_t backlog_ns)
{
    bool is_ready = atomic_load_explicit(&pool->ready_count, memory_order_relaxed) > 0;
    if (is_ready && call_if_ready(pool, backlog_ns))
        pool_start_thread(pool);
}

/* Waits to be called, uncounted as brisk; whoever calls counts. False if nobody has for
 * WORKER_LINGER_NS or the pool stops. Lock held. */
static bool wait_for_call(struct pool *pool, struct worker *worker)
{
    int64_t until_ns =
        clock_now_ns() + (worker->isolate != NULL ? PROCESS_LINGER_NS : WORKER_LINGER_NS);
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

/* Looks at the ready list for a while; whether something came. It does not yield meanwhile: on a
 * busy machine that would cost it its turn, and what comes would wait for milliseconds. */
static bool keep_looking(const struct pool *pool)
{
    int64_t until_ns = clock_now_ns() + LOOK_ON_NS;
    while (atomic_load_explicit(&pool->ready_count, memory_order_relaxed) == 0 &&
           clock_now_ns() < until_ns)
        thread_relax();
    return atomic_load_explicit(&pool->ready_count, memory_order_relaxed) > 0;
}

/* Whether it is to look on this time: the more seldom, the more often in a row it found nothing.
 * What comes at longer intervals would have it take a processor for nothing. */
static bool is_worth_a_look(struct worker *worker)
{
    if (worker->looks_left_out >= worker->looks_vain)
        return true;
    worker->looks_left_out++;
    return false;
}

static void note_look(struct worker *worker, bool found)
{
    uint32_t more = 2 * worker->looks_vain + 1;
    worker->looks_left_out = 0;
    worker->looks_vain = found ? 0 : more < LOOKS_VAIN_MOST ? more : LOOKS_VAIN_MOST;
}

/* After tiny calls the next ones will probably be there before a thread could have fallen asleep
 * and been woken, which costs it and who wakes it as much as 50 such calls. False: it may not look
 * on, or has done so since its last batch. Lock held, given back meanwhile. */
static bool look_on(struct pool *pool, struct worker *worker)
{
    struct executor *executor = pool->executor;
    if (!worker->looks_on)
        return false;
    worker->looks_on = false;
    if (!is_worth_a_look(worker))
        return false;
    bool allowed = atomic_fetch_add(&executor->looking, 1) < executor->cpus / 2;
    if (allowed) {
        mutex_unlock(&pool->lock);
        note_look(worker, keep_looking(pool));
        mutex_lock(&pool->lock);
    }
    atomic_fetch_sub(&executor->looking, 1);
    return allowed;
}

/* Lock held. */
static void count_on(struct pool *pool, struct worker *worker)
{
    if (!atomic_load_explicit(&worker->slow, memory_order_relaxed))
        return;
    atomic_store_explicit(&worker->slow, false, memory_order_relaxed);
    pool->brisk++;
}

void pool_mark_brisk(struct pool *pool, struct worker *worker)
{
    MUTEX_GUARD(&pool->lock);
    count_on(pool, worker);
}

struct group *pool_next(struct pool *pool, struct worker *worker)
{
    MUTEX_GUARD(&pool->lock);
    if (!worker->arrived) {
        worker->arrived = true;
        pool->starting = false;
        pool->refused = false;
    }
    count_on(pool, worker);
    struct group *group;
    while ((group = pool_pop_ready(pool)) == NULL)
        if (!look_on(pool, worker) && !wait_for_call(pool, worker))
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
    cond_broadcast(&pool->rest);
}

void pool_rest(struct pool *pool, int64_t until_ns)
{
    MUTEX_GUARD(&pool->lock);
    while (!atomic_load(&pool->stopping) && cond_wait_until(&pool->rest, &pool->lock, until_ns)) {
    }
}

uint32_t pool_threads(struct pool *pool)
{
    MUTEX_GUARD(&pool->lock);
    return pool->threads;
}

static bool wait_for_all(struct pool *pool, int64_t deadline_ns)
{
    MUTEX_GUARD(&pool->lock);
    bool in_time = true;
    while (pool->threads > 0 && in_time)
        in_time = cond_wait_until(&pool->work, &pool->lock, deadline_ns);
    return pool->threads == 0;
}

bool pool_stop(struct pool *pool, int64_t deadline_ns)
{
    pool_close(pool);
    return wait_for_all(pool, deadline_ns) && join_left(pool, deadline_ns);
}

void pool_destroy(struct pool **pool_pointer)
{
    struct pool *pool = *pool_pointer;
    assert(pool->threads == 0 && pool->left == NULL && pool->ready == NULL);
    cond_fini(&pool->rest);
    cond_fini(&pool->work);
    mutex_fini(&pool->lock);
    free(pool->turns);
    pool->generation->pool = NULL;
    free(pool);
    *pool_pointer = NULL;
}
