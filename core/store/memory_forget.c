/* What is forgotten: by name, because it is too much, or because it is too old. */
#include "store/memory_walk.h"

void memory_record_forget(struct memory *memory, struct memory_record *record)
{
    struct memory_job *job = record->job;

    memory->by_state[record->task.state]--;
    if (record->list == &memory->dead)
        memory_types_remove(&memory->dead_types, record->task.given.type);
    memory_slots_set(&job->tasks, record->task.number, 0);
    memory_record_destroy(&record);
    memory_job_settle(memory, job);
}

/* Gives up the oldest records until the limits hold. */
static uint64_t trim(struct memory *memory, struct memory_records *list, uint64_t most,
                     uint64_t most_bytes)
{
    uint64_t dropped = 0;

    for (; list->count > most || (most_bytes != 0 && list->bytes > most_bytes); dropped++)
        memory_record_forget(memory, TAILQ_FIRST(&list->head));
    return dropped;
}

static void trim_finished(struct memory *memory)
{
    const struct store_options *options = &memory->store.options;

    memory->finished_dropped +=
        trim(memory, &memory->finished, options->finished_max, options->finished_max_bytes);
}

void memory_forget_excess(struct memory *memory)
{
    const struct store_options *options = &memory->store.options;

    trim_finished(memory);
    memory->dead_dropped += trim(memory, &memory->dead, options->dead_max, options->dead_max_bytes);
}

static int64_t record_ended_wall_ns(const struct memory_record *record)
{
    return record->attempts[record->task.attempts_count - 1].ended_wall_ns;
}

/* Ends come in nearly the order of their times: what stands behind a younger one waits for that to
 * grow old. False: there is no more. */
static bool prune_one(struct memory *memory, int64_t before_wall_ns)
{
    struct memory_record *oldest = TAILQ_FIRST(&memory->finished.head);

    if (oldest == NULL || record_ended_wall_ns(oldest) >= before_wall_ns)
        return false;
    memory_record_forget(memory, oldest);
    return true;
}

/* The same for jobs. */
static bool prune_one_job(struct memory *memory, int64_t before_wall_ns)
{
    struct memory_job *oldest = TAILQ_FIRST(&memory->kept_jobs);

    if (oldest == NULL || oldest->last_end_wall_ns >= before_wall_ns)
        return false;
    memory_job_unkeep(memory, oldest);
    memory_job_settle(memory, oldest);
    return true;
}

/* To be called for each of many: lets others in every slice. */
static void pass_every_slice(struct memory *memory, uint64_t count)
{
    if (count % MEMORY_SLICE_VISITS == 0)
        memory_lock_pass(&memory->lock);
}

bool memory_prune(struct store *store, int64_t before_wall_ns, uint64_t *count, struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    while (prune_one(memory, before_wall_ns))
        pass_every_slice(memory, ++*count);
    for (uint64_t jobs = 0; prune_one_job(memory, before_wall_ns);)
        pass_every_slice(memory, ++jobs);
    return true;
}

/* The limit comes down in steps: else the next who ends a task would have to forget all the
 * rest. */
void memory_set_finished_max(struct store *store, uint64_t finished_max)
{
    struct memory *memory = (struct memory *)store;
    uint64_t *most = &memory->store.options.finished_max;

    MEMORY_GUARD(memory);
    while (memory->finished.count > MEMORY_SLICE_VISITS &&
           memory->finished.count - MEMORY_SLICE_VISITS > finished_max) {
        *most = memory->finished.count - MEMORY_SLICE_VISITS;
        trim_finished(memory);
        memory_lock_pass(&memory->lock);
    }
    *most = finished_max;
    trim_finished(memory);
}
