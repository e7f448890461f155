/* How jobs and their tasks come into store_memory. */
#include <assert.h>

#include "store/memory.h"

/* NULL, with a message: the id is taken. */
static struct memory_job *add_job(struct memory *memory, const struct store_job_given *given,
                                  struct error *error)
{
    struct memory_job *job = memory_job_create(memory, given);

    if (job == NULL)
        error_set(error, "duplicate_id", "there is a job '%s' already", given->id);
    return job;
}

bool memory_add_job(struct store *store, const struct store_job_given *given, uint64_t *key,
                    struct error *error)
{
    struct memory *memory = (struct memory *)store;

    MEMORY_GUARD(memory);
    const struct memory_job *job = add_job(memory, given, error);
    if (job != NULL)
        *key = job->job.key;
    return job != NULL;
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

bool memory_add_whole(struct store *store, const struct store_whole *whole, uint64_t *key,
                      struct error *error)
{
    struct memory *memory = (struct memory *)store;

    MEMORY_GUARD(memory);
    struct memory_job *job = add_job(memory, &whole->given, error);
    if (job == NULL)
        return false;
    *key = job->job.key;
    add_tasks(memory, job, whole->tasks, whole->count);
    seal_job(memory, job); /* of no task: gone now, perhaps */
    return true;
}
