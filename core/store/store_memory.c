/* A store that lasts as long as the process. An unfinished task costs it one word: the handle that
 * it was given. Only a task that is delayed, tried again, kept after its end, or writes a log has a
 * record. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/memory.h"

static struct store *memory_open(const struct store_options *options, struct error *error)
{
    struct memory *memory = calloc(1, sizeof(*memory));

    if (memory == NULL) {
        error_errno(error, "store_open", "cannot open the store");
        return NULL;
    }
    memory->store.backend = &store_memory;
    memory->store.options = *options;
    memory->store.epoch = 1; /* no attempt of an earlier host can be alive in this process */
    memory_lock_init(&memory->lock);
    memory_slots_init(&memory->jobs);
    slab_init(&memory->usual_jobs, sizeof(struct memory_job) + MEMORY_JOB_USUAL_TEXTS);
    dictionary_init(&memory->jobs_by_id);
    claims_init(&memory->claims);
    memory_records_init(&memory->delayed);
    memory_records_init(&memory->finished);
    memory_records_init(&memory->dead);
    memory_types_init(&memory->dead_types);
    TAILQ_INIT(&memory->kept_jobs);
    return &memory->store;
}

static void memory_close(struct store *store)
{
    struct memory *memory = (struct memory *)store;

    for (uint32_t at = 0; memory_slots_next(&memory->jobs, &at); at++)
        memory_job_destroy(memory, (struct memory_job *)memory_slots_get(&memory->jobs, at));
    slab_fini(&memory->usual_jobs);
    memory_slots_fini(&memory->jobs);
    dictionary_fini(&memory->jobs_by_id);
    claims_fini(&memory->claims);
    memory_types_fini(&memory->dead_types);
    memory_lock_fini(&memory->lock);
    free(memory);
}

struct memory_record *memory_record_get(struct memory *memory, struct memory_job *job,
                                        uint32_t number)
{
    uintptr_t word = memory_slots_get(&job->tasks, number);
    struct memory_record *record = memory_word_record(word);

    if (record == NULL) {
        record = memory_record_create(job, (const void *)word);
        record->task.number = number;
        record->task.attempt = 1;
        record->task.epoch = memory->store.epoch;
        memory_slots_set(&job->tasks, number, memory_record_word(record));
    }
    return record;
}

void memory_record_set_due(struct memory *memory, struct memory_record *record, int64_t due_wall_ns)
{
    memory_record_unlink(record);
    record->task.due_wall_ns = due_wall_ns;
    if (due_wall_ns != 0)
        memory_records_push(&memory->delayed, record);
}

/* Where a task is. */
struct place {
    struct memory_job *job;
    uintptr_t word;
};

/* The fence: *place is set if the answer is STORE_DONE. */
static enum store_answer check_name(struct memory *memory, const struct store_name *name,
                                    struct place *place)
{
    place->job = memory_job_find(memory, name->job);
    place->word = place->job == NULL ? 0 : memory_slots_get(&place->job->tasks, name->number);
    if (place->word == 0)
        return STORE_UNKNOWN;
    const struct memory_record *record = memory_word_record(place->word);
    if (record != NULL && record->task.state != STORE_UNFINISHED)
        return STORE_ENDED;
    uint32_t current = record == NULL ? 1 : record->task.attempt;
    return name->epoch == memory->store.epoch && name->attempt == current ? STORE_DONE
                                                                          : STORE_STALE;
}

static void forget_unfinished(const struct place *place, uint32_t number)
{
    struct memory_record *record = memory_word_record(place->word);

    memory_slots_set(&place->job->tasks, number, 0);
    if (record != NULL)
        memory_record_destroy(&record);
}

static void add_attempt(struct memory_record *record, const struct store_attempt *how, bool charged)
{
    struct store_attempt attempt = *how;

    attempt.attempt = record->task.attempt;
    attempt.charged = charged;
    record->task.charged += charged;
    memory_record_add_attempt(record, &attempt);
}

static void copy_given(const struct store_options *options, struct memory_record *record,
                       bool is_dead)
{
    struct store_task_given given = {0};
    struct buffer extra = {0};

    options->describe(record->handle, &given);
    if (is_dead && options->describe_dead != NULL)
        options->describe_dead(record->handle, &extra);
    given.extra = extra.bytes;
    given.extra_bytes = (uint32_t)extra.length;
    memory_record_copy_given(record, &given);
    buffer_fini(&extra);
}

static void keep_ended(struct memory *memory, struct memory_record *record,
                       const struct store_end *end)
{
    bool is_dead = (STORE_DEAD_SET & STORE_SET(end->state)) != 0;
    uint64_t outputs_most = memory->store.options.outputs_max_bytes;
    bool fits = outputs_most == 0 || end->outputs_bytes <= outputs_most;

    memory_record_set_due(memory, record, 0);
    if (record->handle != NULL)
        copy_given(&memory->store.options, record, is_dead);
    add_attempt(record, &end->how, end->how.started_wall_ns != 0);
    memory_record_set_outputs(record, fits ? end->outputs : NULL, end->outputs_bytes);
    record->task.state = end->state;
    memory->by_state[end->state]++;
}

static void end_one(struct memory *memory, struct store_end *end)
{
    const struct store_options *options = &memory->store.options;
    bool is_dead = (STORE_DEAD_SET & STORE_SET(end->state)) != 0;
    uint64_t most = is_dead ? options->dead_max : options->finished_max;
    struct place place;

    assert(end->state != STORE_UNFINISHED);
    end->answer = check_name(memory, &end->name, &place);
    if (end->answer != STORE_DONE)
        return;
    struct memory_job *job = place.job;
    memory->by_state[STORE_UNFINISHED]--;
    job->job.by_state[STORE_UNFINISHED]--;
    job->job.by_state[end->state]++;
    if (end->how.ended_wall_ns > job->last_end_wall_ns)
        job->last_end_wall_ns = end->how.ended_wall_ns;
    if (most == 0) {
        forget_unfinished(&place, end->name.number);
    } else {
        struct memory_record *record = memory_record_get(memory, job, end->name.number);
        keep_ended(memory, record, end);
        memory_records_push(is_dead ? &memory->dead : &memory->finished, record);
        if (is_dead)
            memory_types_add(&memory->dead_types, record->task.given.type);
    }
    memory_job_settle(memory, job);
}

static bool memory_end(struct store *store, struct store_end *ends, size_t count,
                       struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    for (size_t i = 0; i < count; i++)
        end_one(memory, &ends[i]);
    memory_forget_excess(memory);
    return true;
}

static void retry_one(struct memory *memory, struct store_retry *retry)
{
    struct place place;

    retry->answer = check_name(memory, &retry->name, &place);
    if (retry->answer != STORE_DONE)
        return;
    struct memory_record *record = memory_record_get(memory, place.job, retry->name.number);
    memory_record_unlink(record); /* its size changes */
    add_attempt(record, &retry->how, retry->how.charged);
    retry->next_attempt = ++record->task.attempt;
    memory_record_set_due(memory, record, retry->due_wall_ns);
}

static bool memory_retry(struct store *store, struct store_retry *retries, size_t count,
                         struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    for (size_t i = 0; i < count; i++)
        retry_one(memory, &retries[i]);
    return true;
}

static bool memory_write_log(struct store *store, struct store_written *written, size_t count,
                             struct error *error)
{
    struct memory *memory = (struct memory *)store;
    uint64_t most = memory->store.options.log_max_bytes;
    struct place place;

    (void)error;
    MEMORY_GUARD(memory);
    for (size_t i = 0; i < count; i++) {
        written[i].answer = check_name(memory, &written[i].name, &place);
        if (written[i].answer != STORE_DONE || most == 0 || written[i].length == 0)
            continue;
        struct memory_record *record = memory_record_get(memory, place.job, written[i].name.number);
        memory_record_unlink(record); /* its size changes */
        memory_record_add_log(record, written[i].text, written[i].length, most);
        memory_record_set_due(memory, record, record->task.due_wall_ns);
    }
    return true;
}

static bool memory_commit(struct store *store, struct error *error)
{
    (void)store;
    (void)error;
    return true; /* as durable as it gets */
}

static void memory_when_durable(struct store *store, struct store_wait *wait)
{
    (void)store;
    wait->done(wait, &(struct store_told){.is_durable = true});
}

static bool memory_is_well(struct store *store, struct error *error)
{
    (void)store;
    (void)error;
    return true;
}

static bool memory_forget_job(struct store *store, uint64_t key, struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    struct memory_job *job = memory_job_find(memory, key);
    if (job != NULL)
        memory_job_forget(memory, job);
    return true;
}

static bool memory_stop_job(struct store *store, uint64_t key, struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    struct memory_job *job = memory_job_find(memory, key);
    if (job != NULL)
        job->job.stopped = true;
    return true;
}

static bool memory_claim(struct store *store, const char *key, const char *id,
                         char holder[STORE_HOLDER_BYTES], struct error *error)
{
    struct memory *memory = (struct memory *)store;

    MEMORY_GUARD(memory);
    const char *held_by = claims_find(&memory->claims, key);
    if (held_by == NULL) {
        if (!claims_have_room(&memory->claims, memory->store.options.claims_max, error))
            return false;
        claims_add(&memory->claims, key, id);
        held_by = "";
    }
    memcpy(holder, held_by, strlen(held_by) + 1);
    return true;
}

static bool memory_release(struct store *store, const char *key, const char *id,
                           struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    claims_release(&memory->claims, key, id);
    return true;
}

static bool memory_visit_claims(struct store *store, store_visit_claim *visit, void *context,
                                struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    claims_visit(&memory->claims, visit, context);
    return true;
}

static bool memory_count(struct store *store, struct store_counts *counts, struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    *counts = (struct store_counts){
        .jobs = memory->jobs.used,
        .delayed = memory->delayed.count,
        .finished_bytes = memory->finished.bytes,
        .dead_bytes = memory->dead.bytes,
        .finished_dropped = memory->finished_dropped,
        .dead_dropped = memory->dead_dropped,
        .claims = claims_count(&memory->claims),
    };
    memcpy(counts->by_state, memory->by_state, sizeof(counts->by_state));
    return true;
}

const struct store_backend store_memory = {
    .name = "memory",
    .borrows = true,
    .open = memory_open,
    .close = memory_close,
    .add_job = memory_add_job,
    .add_tasks = memory_add_tasks,
    .seal_job = memory_seal_job,
    .add_wholes = memory_add_wholes,
    .end = memory_end,
    .retry = memory_retry,
    .write_log = memory_write_log,
    .commit = memory_commit,
    .when_durable = memory_when_durable,
    .is_well = memory_is_well,
    .forget_job = memory_forget_job,
    .stop_job = memory_stop_job,
    .visit = memory_visit,
    .recall = memory_recall,
    .visit_due = memory_visit_due,
    .visit_jobs = memory_visit_jobs,
    .find_job = memory_find_job,
    .visit_dead_types = memory_visit_dead_types,
    .requeue = memory_requeue,
    .requeue_at = memory_requeue_at,
    .drop = memory_drop,
    .prune = memory_prune,
    .set_finished_max = memory_set_finished_max,
    .claim = memory_claim,
    .release = memory_release,
    .visit_claims = memory_visit_claims,
    .count = memory_count,
};
