#include "execute/executor.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

#include "execute/internal.h"
#include "support/log.h"

/* The host goes on without it: it serves to look back. */
static struct flight *create_flight(const struct executor_options *options)
{
    struct error error;
    if (options->flight_path == NULL)
        return NULL;
    struct flight *flight =
        flight_create(options->flight_path, options->epoch, FLIGHT_SLOTS, &error);
    if (flight == NULL)
        log_warning("there is no flight recorder: if the host dies, nobody knows what it had in "
                    "hand",
                    LOG_TEXT("reason", error.message));
    return flight;
}

struct executor *executor_create(const struct executor_options *options)
{
    struct executor *executor = calloc(1, sizeof *executor);
    if (executor == NULL)
        abort();
    executor->meter = calloc(1, sizeof *executor->meter);
    if (executor->meter == NULL)
        abort();
    executor->isolating = calloc(REGISTRY_TYPES_MOST, sizeof *executor->isolating);
    if (executor->isolating == NULL)
        abort();
    executor->options = *options;
    cpu_set_t cpus;
    executor->cpus = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (uint32_t)CPU_COUNT(&cpus) : 1;
    executor->flight = create_flight(options);
    mutex_init(&executor->lock);
    return executor;
}

static void group_free(struct group *group)
{
    assert(backlog_count(&group->backlog) == 0 && group->running == 0);
    assert(group->backlog.asides == NULL);
    mutex_fini(&group->lock);
    free(group->name);
    free(group);
}

/* All are joined before the first pool goes: a worker that gave weight back may be about to wake
 * another pool. */
bool executor_stop(struct executor *executor, int64_t deadline_ns)
{
    bool stopped = true;
    for (struct pool *pool = executor->pools; pool != NULL; pool = pool->next)
        stopped = pool_stop(pool, deadline_ns) && stopped;
    return stopped;
}

void executor_destroy(struct executor **executor_pointer)
{
    struct executor *executor = *executor_pointer;
    if (executor == NULL)
        return;
    for (struct pool *pool; (pool = executor->pools) != NULL;) {
        executor->pools = pool->next;
        pool_destroy(&pool);
    }
    assert(executor->workers == NULL);
    for (struct group *group; (group = executor->groups) != NULL;) {
        executor->groups = group->next;
        group_free(group);
    }
    flight_destroy(&executor->flight);
    mutex_fini(&executor->lock);
    free(executor->meter);
    free(executor->isolating);
    free(executor);
    *executor_pointer = NULL;
}

struct flight *executor_flight(const struct executor *executor)
{
    return executor->flight;
}

struct group *executor_groups(struct executor *executor)
{
    MUTEX_GUARD(&executor->lock);
    return executor->groups;
}

/* A group is either in the list or made under the new limits. */
void executor_set_limits(struct executor *executor, const struct executor_limits *limits)
{
    mutex_lock(&executor->lock);
    executor->options.limits = *limits;
    struct group *group = executor->groups;
    mutex_unlock(&executor->lock);
    for (; group != NULL; group = group->next)
        group_set_max_age(group, limits->max_age_ns);
    executor->options.wake(executor->options.context);
}

/* Nobody may look a published offer up and use it later but under a group's lock. So, once each
 * group's lock was taken after the publishing, nobody can come upon the old generation any more. */
static void move_groups(struct executor *executor, struct pool *pool)
{
    for (struct group *group = executor_groups(executor); group != NULL; group = group->next)
        group_leave_pool(group, pool);
}

void executor_drain(struct executor *executor, struct generation *generation)
{
    struct pool *pool = pool_of(executor, generation);
    pool_close(pool);
    move_groups(executor, pool);
    executor_take_rests(executor, pool, NULL);
    executor->options.wake(executor->options.context); /* perhaps it has no worker at all */
}

static struct pool *find_drained(struct executor *executor)
{
    MUTEX_GUARD(&executor->lock);
    struct pool *pool = executor->pools;
    while (pool != NULL && !(atomic_load(&pool->stopping) && pool_threads(pool) == 0))
        pool = pool->next;
    return pool;
}

static void remove_pool(struct executor *executor, const struct pool *pool)
{
    MUTEX_GUARD(&executor->lock);
    struct pool **at = &executor->pools;
    while (*at != pool)
        at = &(*at)->next;
    *at = pool->next;
}

struct generation *executor_drained(struct executor *executor)
{
    struct pool *pool = find_drained(executor);
    if (pool == NULL || !pool_stop(pool, 0))
        return NULL; /* none, or a thread is on its last instructions: see executor_watch */
    struct generation *generation = pool->generation;
    remove_pool(executor, pool);
    pool_destroy(&pool);
    return generation;
}

/* How many threads of the pool are inside a call that was given up. Lock held. */
static uint32_t stuck_threads(const struct executor *executor, const struct pool *pool)
{
    uint32_t stuck = 0;
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker)
        stuck +=
            worker->pool == pool && (atomic_load(&worker->performer.call.turn) & CALL_STUCK) != 0;
    return stuck;
}

struct generation *executor_drain_is_stuck(struct executor *executor)
{
    MUTEX_GUARD(&executor->lock);
    for (struct pool *pool = executor->pools; pool != NULL; pool = pool->next) {
        uint32_t threads = pool_threads(pool);
        if (!atomic_load(&pool->stopping) || pool->told_stuck || threads == 0 ||
            stuck_threads(executor, pool) < threads)
            continue;
        pool->told_stuck = true;
        return pool->generation;
    }
    return NULL;
}

void executor_isolate(struct executor *executor, const struct type *type)
{
    atomic_fetch_add(&executor->isolating[type->number], 1);
}

void executor_unisolate(struct executor *executor, const struct type *type)
{
    atomic_fetch_sub(&executor->isolating[type->number], 1);
}

void executor_close(struct executor *executor)
{
    atomic_store(&executor->closed, true);
}

uint32_t executor_running(struct executor *executor)
{
    uint32_t running = 0;
    MUTEX_GUARD(&executor->lock);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker) {
        struct running ignored;
        running += running_read(worker, &ignored) && !ignored.stuck;
    }
    return running;
}

uint32_t executor_stuck(struct executor *executor)
{
    return atomic_load(&executor->stuck);
}
