#include "store/memory_walk.h"

enum {
    LOOKS_OF_A_VISIT = MEMORY_SLICE_LOOKS / MEMORY_SLICE_VISITS,
    NEAR_LOOKS = 64, /* a short job, or a query that knows the number, needs no index */
};

enum step { STEP_FOUND, STEP_PAUSE, STEP_END };

struct memory_walk memory_walk_begin(struct store *store, const struct store_query *query)
{
    struct memory_walk walk = {.memory = (struct memory *)store,
                               .query = query,
                               .looks_left = MEMORY_SLICE_LOOKS,
                               .near_left = NEAR_LOOKS};

    if (query->job != 0)
        walk.next_job = (uint32_t)(query->job - 1);
    if (query->resume && query->after.job > walk.next_job) {
        walk.next_job =
            query->after.job > UINT32_MAX ? UINT32_MAX : (uint32_t)(query->after.job - 1);
        walk.next_number = query->after.number + 1;
    }
    return walk;
}

/* Takes some looks from the slice; false: it is over. */
static bool take_looks(struct memory_walk *walk, uint32_t count)
{
    if (walk->looks_left == 0)
        return false;
    walk->looks_left -= count < walk->looks_left ? count : walk->looks_left;
    walk->memory->looks += count;
    return true;
}

static bool job_may_match(const struct memory_job *job, const struct store_query *query)
{
    for (unsigned state = 0; state < STORE_STATE_COUNT; state++)
        if (job->job.by_state[state] > 0 &&
            (query->states == 0 || (query->states & STORE_SET(state)) != 0))
            return true;
    return false;
}

/* Says whether the task of a number is one that is looked for; then it is what was found. */
static bool look_at(struct memory_walk *walk, uint32_t number)
{
    const struct store_query *query = walk->query;
    const struct memory_record *record =
        memory_word_record(memory_slots_get(&walk->job->tasks, number));
    enum store_state state = record == NULL ? STORE_UNFINISHED : record->task.state;

    if (query->states != 0 && (query->states & STORE_SET(state)) == 0)
        return false; /* before the cost of describing it */
    memory_task_view(walk->memory, walk->job, number, &walk->task);
    if (!store_query_matches(query, &walk->task))
        return false;
    walk->found_count++;
    take_looks(walk, LOOKS_OF_A_VISIT);
    return true;
}

/* Adds the ids of the job that are not in its index yet; another who asks meanwhile goes on with
 * it. */
static enum step fill_ids(struct memory_walk *walk)
{
    struct memory_job *job = walk->job;
    struct store_task task;

    for (uint32_t number = job->ids.next_number; memory_slots_next(&job->tasks, &number);
         number++) {
        if (!take_looks(walk, 1))
            return STEP_PAUSE;
        memory_task_view(walk->memory, job, number, &task);
        memory_ids_add(&job->ids, number, task.given.id, job->tasks.used);
    }
    return STEP_END;
}

static enum step walk_ids(struct memory_walk *walk)
{
    struct memory_job *job = walk->job;

    if (fill_ids(walk) == STEP_PAUSE)
        return STEP_PAUSE;
    while (memory_ids_next(&job->ids, walk->query->id, &walk->next_number)) {
        if (!take_looks(walk, 1))
            return STEP_PAUSE;
        uint32_t number = walk->next_number++;
        if (memory_slots_get(&job->tasks, number) != 0 && look_at(walk, number))
            return STEP_FOUND;
    }
    return STEP_END;
}

static enum step walk_job(struct memory_walk *walk)
{
    bool by_id = walk->query->id != NULL && walk->query->job != 0;

    while (memory_slots_next(&walk->job->tasks, &walk->next_number)) {
        if (by_id && walk->near_left == 0)
            return walk_ids(walk);
        if (!take_looks(walk, 1))
            return STEP_PAUSE;
        walk->near_left -= by_id;
        if (look_at(walk, walk->next_number++))
            return STEP_FOUND;
    }
    return STEP_END;
}

/* Goes on to the next that is found, or the end of the slice. */
static enum step walk_slice(struct memory_walk *walk)
{
    const struct store_query *query = walk->query;
    const struct memory_slots *jobs = &walk->memory->jobs;

    for (uint32_t at = walk->next_job; memory_slots_next(jobs, &at); at++) {
        if (at != walk->next_job)
            walk->next_number = 0;
        walk->next_job = at;
        if (!take_looks(walk, 1))
            return STEP_PAUSE;
        walk->job = (struct memory_job *)memory_slots_get(jobs, at);
        if (query->job != 0 && walk->job->job.key != query->job)
            return STEP_END;
        enum step step = job_may_match(walk->job, query) ? walk_job(walk) : STEP_END;
        if (step != STEP_END)
            return step;
    }
    return STEP_END;
}

bool memory_walk_next(struct memory_walk *walk)
{
    enum step step = STEP_END;

    if (walk->query->limit != 0 && walk->found_count == walk->query->limit)
        return false;
    while ((step = walk_slice(walk)) == STEP_PAUSE) {
        memory_lock_pass(&walk->memory->lock);
        walk->looks_left = MEMORY_SLICE_LOOKS;
    }
    return step == STEP_FOUND;
}

struct memory_record *memory_walk_record(const struct memory_walk *walk)
{
    return memory_word_record(memory_slots_get(&walk->job->tasks, walk->task.number));
}
