/* Taking back what has not started: out of groups, and out of the batches of workers. A batch
 * cannot be looked into while its worker is at it, so all its rest is taken, and what stays goes
 * back. */
#include <stdlib.h>

#include "execute/internal.h"
#include "support/memory.h"

/* What was taken out of one batch. */
struct rest {
    struct worker *worker;
    struct task_list tasks; /* at least one, so that it may be moved in memory */
};

struct rests {
    struct rest *list;
    size_t count;
};

static void add(struct rests *rests, struct worker *worker, struct task_list *tasks)
{
    rests->list = memory_grow(rests->list, rests->count + 1, sizeof *rests->list);
    struct rest *rest = &rests->list[rests->count++];
    rest->worker = worker;
    task_list_init(&rest->tasks);
    task_list_append(&rest->tasks, tasks);
}

/* Whose batches. */
struct batches {
    const struct pool *pool;
    const struct job *job;
    const struct group *group; /* each NULL: of any */
};

static void take_all(struct executor *executor, const struct batches *of, struct rests *rests)
{
    MUTEX_GUARD(&executor->lock);
    struct task_list rest;
    task_list_init(&rest);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker) {
        if (of->pool != NULL && worker->pool != of->pool)
            continue;
        worker_take_rest(worker, of->job, of->group, &rest);
        if (rest.count > 0)
            add(rests, worker, &rest);
    }
}

void executor_take_rests(struct executor *executor, const struct pool *pool,
                         const struct group *group)
{
    struct rests rests = {0};
    take_all(executor, &(struct batches){.pool = pool, .group = group}, &rests);
    for (size_t i = 0; i < rests.count; i++)
        worker_return_rest(rests.list[i].worker, &rests.list[i].tasks);
    free(rests.list);
}

static void sort_out(struct rest *rest, const struct purge *purge, struct task_list *purged)
{
    struct task_list kept;
    task_list_init(&kept);
    for (struct task *task; (task = task_list_pop(&rest->tasks)) != NULL;) {
        if (!purge_takes(purge, task)) {
            task_list_push(&kept, task);
            continue;
        }
        group_discharge(task);
        task_list_push(purged, task);
    }
    worker_return_rest(rest->worker, &kept);
}

static void purge(struct executor *executor, const struct purge *purge, struct task_list *purged)
{
    struct rests rests = {0};
    for (struct group *group = executor_groups(executor); group != NULL; group = group->next)
        group_purge(group, purge, purged);
    take_all(executor, &(struct batches){.job = purge->job}, &rests);
    for (size_t i = 0; i < rests.count; i++)
        sort_out(&rests.list[i], purge, purged);
    free(rests.list);
}

void executor_purge(struct executor *executor, const struct job *job, struct task_list *purged)
{
    purge(executor, &(struct purge){.job = job, .what = PURGE_ALL}, purged);
}

void executor_purge_stopped(struct executor *executor, const struct job *job,
                            struct task_list *purged)
{
    purge(executor, &(struct purge){.job = job, .what = PURGE_STOPPED}, purged);
}
