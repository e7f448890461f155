/* How jobs and their tasks come into store_memory. */
#include <assert.h>

#include "store/memory.h"

bool memory_add_job(struct store *store, const struct store_job_given *given, uint64_t *key,
                    struct error *error)
{
    struct memory *memory = (struct memory *)store;

    MEMORY_GUARD(memory);
    struct memory_job *job = memory_job_create(memory, given);
    if (!memory_job_enter(memory, job, error)) {
        memory_job_discard(memory, job);
        return false;
    }
    *key = job->job.key;
    return true;
}

static void add_tasks(struct memory *memory, struct memory_job *job,
                      const struct store_new_task *tasks, size_t count)
{
    assert(!job->job.sealed);
    for (size_t i = 0; i < count; i++) {
        assert(((uintptr_t)tasks[i].handle & 1) == 0);
        uint32_t number = memory_slots_add(&job->tasks, (uintptr_t)tasks[i].handle);
        if (tasks[i].due_wall_ns != 0)
            memory_record_set_due(memory, memory_record_get(memory, job, number),
                                  tasks[i].due_wall_ns);
    }
    job->job.tasks_count += (uint32_t)count;
    job->job.by_state[STORE_UNFINISHED] += (uint32_t)count;
    memory->by_state[STORE_UNFINISHED] += count;
}

bool memory_add_tasks(struct store *store, uint64_t key, const struct store_new_task *tasks,
                      size_t count, struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    struct memory_job *job = memory_job_find(memory, key);
    assert(job != NULL);
    add_tasks(memory, job, tasks, count);
    return true;
}

static void seal_job(struct memory *memory, struct memory_job *job)
{
    assert(!job->job.sealed);
    job->job.sealed = true;
    memory_slots_seal(&job->tasks);
    memory_job_settle(memory, job);
}

bool memory_seal_job(struct store *store, uint64_t key, struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    struct memory_job *job = memory_job_find(memory, key);
    assert(job != NULL);
    seal_job(memory, job);
    return true;
}

enum { WHOLES_SLICE = 32 };

static void enter_whole(struct memory *memory, struct memory_job *job, struct store_whole *whole)
{
    whole->key = job->job.key;
    add_tasks(memory, job, whole->tasks, whole->count);
    seal_job(memory, job); /* of no task: gone now, perhaps */
}

/* All are made first. Lock held. */
static bool add_slice(struct memory *memory, struct store_whole *wholes, size_t count,
                      struct error *error)
{
    struct memory_job *jobs[WHOLES_SLICE];
    bool entered = true;

    for (size_t i = 0; i < count; i++)
        jobs[i] = memory_job_create(memory, &wholes[i].given);
    for (size_t i = 0; i < count; i++) {
        entered = entered && memory_job_enter(memory, jobs[i], error);
        if (entered)
            enter_whole(memory, jobs[i], &wholes[i]);
        else
            memory_job_discard(memory, jobs[i]);
    }
    return entered;
}

bool memory_add_wholes(struct store *store, struct store_whole *wholes, size_t count,
                       struct error *error)
{
    struct memory *memory = (struct memory *)store;
    bool added = true;

    MEMORY_GUARD(memory);
    for (size_t i = 0; i < count && added; i += WHOLES_SLICE)
        added = add_slice(memory, wholes + i, count - i < WHOLES_SLICE ? count - i : WHOLES_SLICE,
                          error);
    return added;
}
