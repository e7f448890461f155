/* Tasks that have failed for good and are tried again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_again.h"
#include "host_internal.h"

static bool note(void *context, const struct store_task *task)
{
    job_again_note(context, task);
    return false;
}

static bool take_key(void *context, const struct store_job *job)
{
    *(uint64_t *)context = job->key;
    return false;
}

/* Whether all that it takes is there; *offer is pinned then. */
static bool may_retry(struct host *host, const struct job_again *again, const struct offer **offer,
                      struct error *error)
{
    const char *type = job_again_type(again);
    if (again->late)
        return error_set(error, "refers_to_results",
                         "its parameters refer to results of other tasks, which are gone: run its "
                         "job again");
    switch (registry_peek(host->registry, type, strlen(type), offer, error)) {
    case REGISTRY_FOUND:
        return true;
    case REGISTRY_LOADING:
        return false;
    case REGISTRY_UNKNOWN:
    case REGISTRY_REFUSED:
        break;
    }
    return error_set(error, "no_plugin", "no plugin has its type '%s'", type);
}

/* From here on it is a task as all others. */
static void enter(struct host *host, struct job *job)
{
    struct task_list tasks;
    task_list_init(&tasks);
    job_take_tasks(job, 1, &tasks);
    tasks.head->submitted_ns = tasks.head->due_ns = clock_now_ns();
    job_count_submitted(job, 1);
    task_move(tasks.head, TASK_READY);
    stages_feed(&host->stages, &tasks);
    if (job_count_ended(job, TASK_ACCEPTED, 1))
        host->source->job_over(host, job);
}

/* Takes the task out of the dead letters; it is the host's from then on. */
static bool requeue(struct host *host, const struct store_query *query, const struct type *type,
                    const char *name, struct error *error)
{
    struct job_again again = {0};
    struct job *before = job_table_find(host->served.table, name);
    if (before != NULL) {
        job_let_go(before);
        return error_set(error, "ending", "its last attempt is only just ending: try again");
    }
    if (!room_reserve(&host->stages.pending, 1))
        return error_set(error, "pending_full", "as many tasks wait or run as max_pending allows");
    if (!store_requeue(host->stages.store, query, note, &again, error) || again.key == 0) {
        room_give(&host->stages.pending, 1);
        return again.key != 0 || error_set(error, "not_dead", "it has not failed for good");
    }
    struct job *job = job_again_make(&again, &host->stages.chunks, type);
    job_again_fini(&again);
    if (!job_table_add(host->served.table, job, name))
        abort(); /* it is in the host, so it was no dead letter */
    enter(host, job);
    return true;
}

/* Begins at a task: those before it, which may be a million, need not be looked at. */
static void begin_at(struct store_query *query, uint32_t number)
{
    query->resume = number > 0;
    query->after = (struct store_position){query->job, number - 1};
}

bool host_retry(struct host *host, const struct host_dead *dead, struct error *error)
{
    struct store *store = host->stages.store;
    struct store_query query = {.states = STORE_DEAD_SET, .id = dead->task, .limit = 1};
    struct job_again again = {0};
    const struct offer *offer = NULL;
    char name[STORE_HOLDER_BYTES];
    if (!store_find_job(store, dead->job, take_key, &query.job, error))
        return false;
    if (dead->at != NULL && dead->at->job == query.job)
        begin_at(&query, dead->at->number);
    if (query.job == 0 || !store_visit(store, &query, note, &again, error) || again.key == 0)
        return error_set(error, "not_dead", "it has not failed for good");
    begin_at(&query, again.number);
    bool right = may_retry(host, &again, &offer, error);
    job_again_fini(&again);
    snprintf(name, sizeof name, "%s:%s", dead->job, dead->task);
    right = right && requeue(host, &query, offer->type, name, error);
    registry_unpin(host->registry, offer);
    return right;
}
