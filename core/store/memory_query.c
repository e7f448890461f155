#include <assert.h>
#include <stdlib.h>

#include "store/memory_walk.h"

void memory_task_view(const struct memory *memory, struct memory_job *job, uint32_t number,
                      struct store_task *task)
{
    uintptr_t word = memory_slots_get(&job->tasks, number);
    const struct memory_record *record = memory_word_record(word);
    const void *handle = record == NULL ? (const void *)word : record->handle;

    assert(word != 0);
    *task = record == NULL ? (struct store_task){.attempt = 1} : record->task;
    task->job = &job->job;
    task->number = number;
    task->epoch = memory->store.epoch;
    if (handle != NULL)
        memory->store.options.describe(handle, &task->given);
}

bool memory_visit(struct store *store, const struct store_query *query, store_visit_task *visit,
                  void *context, struct error *error)
{
    (void)error;
    MEMORY_GUARD((struct memory *)store);
    struct memory_walk walk = memory_walk_begin(store, query);
    while (memory_walk_next(&walk) && visit(context, &walk.task))
        ;
    return true;
}

static bool view_at(struct memory *memory, const struct store_position *at, struct store_task *task)
{
    struct memory_job *job = memory_job_find(memory, at->job);

    if (job == NULL || memory_slots_get(&job->tasks, at->number) == 0)
        return false;
    memory_task_view(memory, job, at->number, task);
    return true;
}

bool memory_recall(struct store *store, const struct store_places *places, store_visit_task *visit,
                   void *context, struct error *error)
{
    struct memory *memory = (struct memory *)store;
    struct store_task task;

    (void)error;
    MEMORY_GUARD(memory);
    for (size_t i = 0; i < places->count; i++)
        if (view_at(memory, &places->at[i], &task) && !visit(context, &task))
            break;
    return true;
}

static bool record_before(const struct memory_record *a, const struct memory_record *b)
{
    if (a->task.due_wall_ns != b->task.due_wall_ns)
        return a->task.due_wall_ns < b->task.due_wall_ns;
    if (a->job->job.key != b->job->job.key)
        return a->job->job.key < b->job->job.key;
    return a->task.number < b->task.number;
}

static bool is_behind(const struct memory_record *record, const struct store_due *due)
{
    uint64_t key = record->job->job.key;

    if (due->after == NULL || record->task.due_wall_ns != due->after_wall_ns)
        return due->after == NULL || record->task.due_wall_ns > due->after_wall_ns;
    return key != due->after->job ? key > due->after->job
                                  : record->task.number > due->after->number;
}

static int compare_records(const void *a, const void *b)
{
    const struct memory_record *const *first = a, *const *second = b;
    return record_before(*first, *second) ? -1 : record_before(*second, *first);
}

/* Sorts all that are due, because a host over this backend holds its delayed tasks itself and asks
 * only on a person's behalf. */
bool memory_visit_due(struct store *store, const struct store_due *due, store_visit_task *visit,
                      void *context, struct error *error)
{
    struct memory *memory = (struct memory *)store;
    struct memory_record *record;
    struct store_task task;
    size_t count = 0;

    (void)error;
    MEMORY_GUARD(memory);
    CLEANUP(cleanup_free)
    struct memory_record **found = calloc(memory->delayed.count + 1, sizeof(record));
    if (found == NULL)
        abort();
    for (record = TAILQ_FIRST(&memory->delayed.head); record != NULL;
         record = TAILQ_NEXT(record, link))
        if (record->task.due_wall_ns <= due->until_wall_ns && is_behind(record, due))
            found[count++] = record;
    qsort(found, count, sizeof(record), compare_records);
    for (size_t i = 0; i < count && i < due->limit; i++) {
        memory_task_view(memory, found[i]->job, found[i]->task.number, &task);
        if (!visit(context, &task))
            break;
    }
    return true;
}

bool memory_visit_jobs(struct store *store, store_visit_job *visit, void *context,
                       struct error *error)
{
    struct memory *memory = (struct memory *)store;
    int slice = 0;

    (void)error;
    MEMORY_GUARD(memory);
    for (uint32_t at = 0; memory_slots_next(&memory->jobs, &at); at++, slice++) {
        if (slice == MEMORY_SLICE_VISITS) { /* numbers stay what they are */
            memory_lock_pass(&memory->lock);
            slice = 0;
            if (!memory_slots_next(&memory->jobs, &at))
                break;
        }
        struct memory_job *job = (struct memory_job *)memory_slots_get(&memory->jobs, at);
        if (!visit(context, &job->job))
            break;
    }
    return true;
}

bool memory_find_job(struct store *store, const char *id, store_visit_job *visit, void *context,
                     struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    struct dictionary_entry *entry = dictionary_find(&memory->jobs_by_id, id);
    if (entry != NULL)
        visit(context, &((struct memory_job *)entry)->job);
    return true;
}

bool memory_visit_dead_types(struct store *store, store_visit_type *visit, void *context,
                             struct error *error)
{
    struct memory *memory = (struct memory *)store;

    (void)error;
    MEMORY_GUARD(memory);
    memory_types_visit(&memory->dead_types, visit, context);
    return true;
}

static void make_unfinished(struct memory *memory, struct memory_job *job,
                            struct memory_record *record)
{
    memory->by_state[record->task.state]--;
    memory->by_state[STORE_UNFINISHED]++;
    job->job.by_state[record->task.state]--;
    job->job.by_state[STORE_UNFINISHED]++;
    memory_job_unkeep(memory, job);
    job->was_kept = false;
    job->job.stopped = false;

    memory_types_remove(&memory->dead_types, record->task.given.type);
    memory_record_unlink(record);
    memory_record_set_outputs(record, NULL, 0);
    record->task.state = STORE_UNFINISHED;
    record->task.attempt++;
    record->task.charged = 0;
}

bool memory_requeue(struct store *store, const struct store_query *query, store_visit_task *visit,
                    void *context, struct error *error)
{
    (void)error;
    MEMORY_GUARD((struct memory *)store);
    struct memory_walk walk = memory_walk_begin(store, query);
    while (memory_walk_next(&walk)) {
        make_unfinished(walk.memory, walk.job, memory_walk_record(&walk));
        memory_task_view(walk.memory, walk.job, walk.task.number, &walk.task);
        if (!visit(context, &walk.task))
            break;
    }
    return true;
}

static struct memory_record *record_at(struct memory *memory, const struct store_position *at,
                                       struct memory_job **job)
{
    *job = memory_job_find(memory, at->job);
    return *job == NULL ? NULL : memory_word_record(memory_slots_get(&(*job)->tasks, at->number));
}

bool memory_requeue_at(struct store *store, const struct store_places *places,
                       store_visit_task *visit, void *context, struct error *error)
{
    struct memory *memory = (struct memory *)store;
    struct store_task task;

    (void)error;
    MEMORY_GUARD(memory);
    for (size_t i = 0; i < places->count; i++) {
        struct memory_job *job;
        struct memory_record *record = record_at(memory, &places->at[i], &job);
        if (record == NULL || (STORE_DEAD_SET & STORE_SET(record->task.state)) == 0)
            continue;
        make_unfinished(memory, job, record);
        memory_task_view(memory, job, places->at[i].number, &task);
        if (!visit(context, &task))
            break;
    }
    return true;
}

bool memory_drop(struct store *store, const struct store_query *query, uint64_t *count,
                 struct error *error)
{
    (void)error;
    MEMORY_GUARD((struct memory *)store);
    struct memory_walk walk = memory_walk_begin(store, query);
    for (; memory_walk_next(&walk); (*count)++)
        memory_record_forget(walk.memory, memory_walk_record(&walk));
    return true;
}
