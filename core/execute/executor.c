#include "execute/executor.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

#include "execute/internal.h"

struct executor *executor_create(const struct executor_options *options)
{
    struct executor *executor = calloc(1, sizeof *executor);
    if (executor == NULL)
        abort();
    executor->meter = calloc(1, sizeof *executor->meter);
    if (executor->meter == NULL)
        abort();
    executor->options = *options;
    cpu_set_t cpus;
    executor->cpus = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (uint32_t)CPU_COUNT(&cpus) : 1;
    mutex_init(&executor->lock);
    return executor;
}

static void group_free(struct group *group)
{
    assert(group->queue.count == 0 && group->running == 0);
    mutex_fini(&group->lock);
    free(group->name);
    free(group);
}

void executor_destroy(struct executor **executor_pointer)
{
    struct executor *executor = *executor_pointer;
    if (executor == NULL)
        return;
    /* A worker that gave weight back may be about to wake another pool. */
    for (struct pool *pool = executor->pools; pool != NULL; pool = pool->next)
        pool_stop(pool);
    for (struct pool *pool; (pool = executor->pools) != NULL;) {
        executor->pools = pool->next;
        pool_destroy(&pool);
    }
    assert(executor->workers == NULL);
    for (struct group *group; (group = executor->groups) != NULL;) {
        executor->groups = group->next;
        group_free(group);
    }
    mutex_fini(&executor->lock);
    free(executor->meter);
    free(executor);
    *executor_pointer = NULL;
}

/* Groups are only ever added in front, so the list may be walked without the lock. */
static struct group *first_group(struct executor *executor)
{
    MUTEX_GUARD(&executor->lock);
    return executor->groups;
}

static void purge_workers(struct executor *executor, const struct job *job,
                          struct task_list *purged)
{
    MUTEX_GUARD(&executor->lock);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker)
        worker_take_rest(worker, job, purged);
}

void executor_purge(struct executor *executor, const struct job *job, struct task_list *purged)
{
    for (struct group *group = first_group(executor); group != NULL; group = group->next) {
        MUTEX_GUARD(&group->lock);
        queue_purge(&group->queue, job, purged);
    }
    purge_workers(executor, job, purged);
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
        uint64_t turn = atomic_load(&worker->call.turn);
        running += (turn & CALL_BUSY) != 0 && (turn & CALL_STUCK) == 0;
    }
    return running;
}

uint32_t executor_stuck(struct executor *executor)
{
    return atomic_load(&executor->stuck);
}
