#include <assert.h>
#include <stdlib.h>

#include "store/memory.h"

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

/* A walk over the tasks of a query in their order. It keeps numbers, not pointers, of where it goes
 * on, so that what it has found may be forgotten meanwhile. */
struct walk {
    struct memory *memory;
    const struct store_query *query;
    uint32_t next_job; /* the next task to look at: its job's key - 1, and its number */
    uint32_t next_number;
    uint32_t found_count;
    struct memory_job *job; /* the task that was found last */
    struct store_task task;
};

static struct walk walk_begin(struct store *store, const struct store_query *query)
{
    struct walk walk = {.memory = (struct memory *)store, .query = query};

    if (query->job != 0)
        walk.next_job = (uint32_t)(query->job - 1);
    if (query->resume && query->after.job > walk.next_job) {
        walk.next_job = (uint32_t)(query->after.job - 1);
        walk.next_number = query->after.number + 1;
    }
    return walk;
}

static bool job_may_match(const struct memory_job *job, const struct store_query *query)
{
    for (unsigned state = 0; state < STORE_STATE_COUNT; state++)
        if (job->job.by_state[state] > 0 &&
            (query->states == 0 || (query->states & STORE_SET(state)) != 0))
            return true;
    return false;
}

static bool walk_job(struct walk *walk)
{
    const struct store_query *query = walk->query;
    const struct memory_slots *tasks = &walk->job->tasks;

    while (memory_slots_next(tasks, &walk->next_number)) {
        uint32_t number = walk->next_number++;
        const struct memory_record *record = memory_word_record(memory_slots_get(tasks, number));
        enum store_state state = record == NULL ? STORE_UNFINISHED : record->task.state;
        if (query->states != 0 && (query->states & STORE_SET(state)) == 0)
            continue; /* before the cost of describing it */
        memory_task_view(walk->memory, walk->job, number, &walk->task);
        if (store_query_matches(query, &walk->task)) {
            walk->found_count++;
            return true;
        }
    }
    return false;
}

/* Finds the next one; false at the end or the query's limit. */
static bool walk_next(struct walk *walk)
{
    const struct store_query *query = walk->query;
    const struct memory_slots *jobs = &walk->memory->jobs;

    if (query->limit != 0 && walk->found_count == query->limit)
        return false;
    for (uint32_t at = walk->next_job; memory_slots_next(jobs, &at); at++) {
        if (at != walk->next_job)
            walk->next_number = 0;
        walk->next_job = at;
        walk->job = (struct memory_job *)memory_slots_get(jobs, at);
        if (query->job != 0 && walk->job->job.key != query->job)
            return false;
        if (job_may_match(walk->job, query) && walk_job(walk))
            return true;
    }
    return false;
}

bool memory_visit(struct store *store, const struct store_query *query, store_visit_task *visit,
                  void *context, struct error *error)
{
    (void)error;
    MUTEX_GUARD(&((struct memory *)store)->lock);
    struct walk walk = walk_begin(store, query);
    while (walk_next(&walk) && visit(context, &walk.task))
        ;
    return true;
}

bool memory_recall(struct store *store, const struct store_position *at, store_visit_task *visit,
                   void *context, struct error *error)
{
    struct memory *memory = (struct memory *)store;
    struct store_task task;

    (void)error;
    MUTEX_GUARD(&memory->lock);
    struct memory_job *job = memory_job_find(memory, at->job);
    if (job == NULL || memory_slots_get(&job->tasks, at->number) == 0)
        return true;
    memory_task_view(memory, job, at->number, &task);
    visit(context, &task);
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
    MUTEX_GUARD(&memory->lock);
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

    (void)error;
    MUTEX_GUARD(&memory->lock);
    for (uint32_t at = 0; memory_slots_next(&memory->jobs, &at); at++) {
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
    MUTEX_GUARD(&memory->lock);
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
    MUTEX_GUARD(&memory->lock);
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

    memory_types_remove(&memory->dead_types, record->task.given.type);
    memory_record_unlink(record);
    memory_record_set_outputs(record, NULL, 0);
    record->task.state = STORE_UNFINISHED;
    record->task.attempt++;
    record->task.charged = 0;
}

static struct memory_record *walk_record(const struct walk *walk)
{
    return memory_word_record(memory_slots_get(&walk->job->tasks, walk->task.number));
}

bool memory_requeue(struct store *store, const struct store_query *query, store_visit_task *visit,
                    void *context, struct error *error)
{
    (void)error;
    MUTEX_GUARD(&((struct memory *)store)->lock);
    struct walk walk = walk_begin(store, query);
    while (walk_next(&walk)) {
        make_unfinished(walk.memory, walk.job, walk_record(&walk));
        memory_task_view(walk.memory, walk.job, walk.task.number, &walk.task);
        if (!visit(context, &walk.task))
            break;
    }
    return true;
}

bool memory_drop(struct store *store, const struct store_query *query, uint64_t *count,
                 struct error *error)
{
    (void)error;
    MUTEX_GUARD(&((struct memory *)store)->lock);
    struct walk walk = walk_begin(store, query);
    for (; walk_next(&walk); (*count)++)
        memory_record_forget(walk.memory, walk_record(&walk));
    return true;
}
