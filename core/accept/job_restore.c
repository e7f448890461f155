#include "accept/job_restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/ended_refs.h"
#include "accept/late.h"
#include "accept/result_map.h"
#include "accept/task_extra.h"
#include "accept/task_restore.h"
#include "support/clock.h"
#include "support/memory.h"

/* In place of a time. */
#define WAITS INT64_C(-1)

struct restore {
    const struct job_restore_sources *sources;
    struct job *job;
    /* by number */
    uint32_t *places;
    struct task_extra *extras; /* those that need others or refer to them; in the chunk's memory */
    size_t capacity;
    int64_t *ended_ns; /* when the last that it needs has ended, by number; WAITS: one has not */
    struct ended_refs refs;
    uint32_t ended_count; /* results of tasks that have ended and are referred to */
    uint32_t damaged;
    bool failed;
    struct error *error;
};

/* ---- the job ---- */

static bool begin_job(void *context, const struct store_job *stored)
{
    struct restore *restore = context;
    const struct store_job_given *given = &stored->given;
    bool dead = stored->by_state[STORE_FAILED] + stored->by_state[STORE_TIMED_OUT] +
                    stored->by_state[STORE_CRASHED] >
                0;
    struct job *job = job_create(restore->sources->pool, given->name, given->file, JOB_CHECKED);
    snprintf(job->id, sizeof job->id, "%s", given->id);
    job_set_keep(job, JOB_KEEPS_ALL);
    job->store_key = stored->key;
    job->max_weight = given->max_weight;
    job->fail_fast = given->fail_fast;
    job->stop = stored->stopped            ? JOB_CANCELLED
                : given->fail_fast && dead ? JOB_FAILED_FAST
                                           : JOB_GOES_ON;
    restore->job = job;
    return false;
}

/* ---- its tasks ---- */

/* What the host interrupted, or was not charged, says nothing of the task. */
static bool timed_out_last(const struct store_task *stored)
{
    size_t count = stored->attempts_count;
    while (count > 0 && !stored->attempts[count - 1].charged)
        count--;
    return count > 0 && strcmp(stored->attempts[count - 1].reason, "timed_out") == 0;
}

/* It was a dead letter and is tried again: not all attempts that were charged still are. */
static bool was_dead(const struct store_task *stored)
{
    uint32_t charged = 0;
    for (size_t i = 0; i < stored->attempts_count; i++)
        charged += stored->attempts[i].charged;
    return charged > stored->charged;
}

/* Of a delay that has begun, what is left of it; it is over where there was an attempt. */
static int64_t due_of(const struct store_task *stored, const struct task_extra *extra)
{
    if (stored->due_wall_ns == 0 && stored->attempt > 1)
        return 0;
    if (stored->due_wall_ns == 0 || stored->due_wall_ns == -extra->due_ns)
        return extra->due_ns;
    int64_t left_ns = stored->due_wall_ns - clock_wall_ns();
    return left_ns > 0 ? left_ns : 0;
}

static void fill_task(struct task *task, const struct store_task *stored,
                      const struct task_extra *extra)
{
    task_restore(task, stored, extra);
    task->timed_out = timed_out_last(stored);
    task->when = (uint8_t)extra->when;
    task->due_ns = due_of(stored, extra);
}

static void note_number(struct restore *restore, const struct task *task, uint32_t place,
                        const struct task_extra *extra)
{
    if (task->number >= restore->capacity) {
        restore->capacity = restore->capacity > 0 ? 2 * restore->capacity : CHUNK_TASKS;
        restore->places = memory_grow(restore->places, restore->capacity, sizeof *restore->places);
        restore->extras = memory_grow(restore->extras, restore->capacity, sizeof *restore->extras);
    }
    restore->places[task->number] = place;
    restore->extras[task->number] = *extra;
}

/* The lists of places are read again when all tasks are there. */
static void keep_lists(struct job *job, struct task_extra *extra)
{
    struct task_extra_places *lists[] = {&extra->needs, &extra->late};
    for (int i = 0; i < 2; i++)
        if (lists[i]->count > 0)
            lists[i]->at = task_keep(job, lists[i]->at, lists[i]->count * sizeof(uint32_t), 1);
}

static bool add_task(void *context, const struct store_task *stored)
{
    struct restore *restore = context;
    const struct store_task_given *given = &stored->given;
    struct task_extra extra;
    uint32_t first_line;
    size_t length = strlen(given->id);
    bool right = length > 0 && length <= TASK_ID_MOST_BYTES &&
                 task_extra_read(given->extra, given->extra_bytes, &extra);
    const struct type *type =
        right ? registry_intern(restore->sources->registry, given->type, restore->error) : NULL;
    restore->failed = right && type == NULL;
    struct task *task =
        type == NULL ? NULL : job_add_task(restore->job, given->id, length, &first_line);
    if (task == NULL) {
        restore->damaged++;
        return !restore->failed;
    }
    task->type = type;
    const struct job_restore_sources *sources = restore->sources;
    task->suspect =
        sources->claims != NULL &&
        sources->claims(sources->context, restore->job->store_key, stored->number, type);
    if (was_dead(stored)) { /* what it needs, and its job's stop, were dealt with when it ran */
        extra.needs.count = 0;
        extra.when = WHEN_ALWAYS;
    }
    fill_task(task, stored, &extra);
    keep_lists(restore->job, &extra);
    note_number(restore, task, stored->number, &extra);
    return true;
}

/* ---- what they need ---- */

/* The places rise. */
static bool find_place(const struct restore *restore, uint32_t place, uint32_t *number)
{
    uint32_t low = 0, high = restore->job->tasks_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (restore->places[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    *number = low;
    return low < restore->job->tasks_count && restore->places[low] == place;
}

static void link_needs(struct restore *restore, uint32_t number)
{
    const struct task_extra_places *needs = &restore->extras[number].needs;
    uint32_t needed;
    if (needs->count == 0)
        return;
    struct graph *graph = job_graph(restore->job);
    graph_begin(graph, number);
    for (uint32_t i = 0; i < needs->count; i++)
        if (find_place(restore, task_extra_place(needs, i), &needed))
            graph_add(graph, needed);
}

/* Its delay has begun when the last of all that it needs had ended. */
static void shorten_delay(struct task *task, int64_t begun_wall_ns)
{
    int64_t over_ns = clock_wall_ns() - begun_wall_ns;
    bool was_tried = task->name > 1;
    if (task->due_ns > 0 && over_ns > 0 && !was_tried)
        task->due_ns = over_ns < task->due_ns ? task->due_ns - over_ns : 0;
}

/* Notes which of those that a task needs have ended before. */
static void gather_needs(struct restore *restore, uint32_t number)
{
    const struct task_extra_places *needs = &restore->extras[number].needs;
    uint32_t other;
    for (uint32_t i = 0; i < needs->count; i++) {
        uint32_t place = task_extra_place(needs, i);
        if (find_place(restore, place, &other))
            restore->ended_ns[number] = WAITS;
        else
            ended_refs_add(&restore->refs, (struct ended_ref){place, number, NULL});
    }
}

/* Results of tasks that have ended are numbered behind all others. */
static struct result *hold_result(struct restore *restore, uint32_t number, uint32_t place)
{
    struct job *job = restore->job;
    uint32_t other;
    if (find_place(restore, place, &other))
        return job_hold_result(job, other);
    struct result *result = job_hold_result(job, job->tasks_count + restore->ended_count++);
    ended_refs_add(&restore->refs, (struct ended_ref){place, number, result});
    return result;
}

static void link_results(struct restore *restore, uint32_t number)
{
    const struct task_extra_places *late = &restore->extras[number].late;
    uint32_t count;
    if (late->count == 0)
        return;
    struct result **results = late_results(job_task(restore->job, number), &count);
    for (uint32_t i = 0; i < count; i++)
        results[i] = hold_result(restore, number, task_extra_place(late, i));
}

static void note_ended(void *context, uint32_t number, int64_t wall_ns)
{
    struct restore *restore = context;
    if (restore->ended_ns[number] != WAITS && wall_ns > restore->ended_ns[number])
        restore->ended_ns[number] = wall_ns;
}

/* What has ended before. */
static bool tell_ended(struct restore *restore)
{
    struct job *job = restore->job;
    restore->refs.job = job;
    restore->refs.ended = note_ended;
    restore->refs.context = restore;
    if (!ended_refs_tell(&restore->refs, restore->sources->store, restore->error))
        return false;
    for (uint32_t number = 0; number < job->tasks_count; number++)
        if (restore->extras[number].needs.count > 0 && restore->ended_ns[number] != WAITS)
            shorten_delay(job_task(job, number), restore->ended_ns[number]);
    return true;
}

static bool link_tasks(struct restore *restore)
{
    struct job *job = restore->job;
    for (uint32_t number = 0; number < job->tasks_count; number++)
        link_needs(restore, number);
    job_turn_graph(job);
    restore->ended_ns = memory_grow(NULL, job->tasks_count + 1, sizeof *restore->ended_ns);
    memset(restore->ended_ns, 0, job->tasks_count * sizeof *restore->ended_ns);
    for (uint32_t number = 0; number < job->tasks_count; number++) {
        gather_needs(restore, number);
        link_results(restore, number);
    }
    return tell_ended(restore);
}

static bool read_job(struct restore *restore, const char *id)
{
    struct store *store = restore->sources->store;
    if (!store_find_job(store, id, begin_job, restore, restore->error))
        return false;
    if (restore->job == NULL)
        return error_set(restore->error, "not_found", "there is no job '%s'", id);
    struct store_query query = {.job = restore->job->store_key,
                                .states = STORE_SET(STORE_UNFINISHED)};
    if (!store_visit(store, &query, add_task, restore, restore->error) || restore->failed)
        return false;
    job_end_reading(restore->job);
    return link_tasks(restore);
}

struct job *job_restore(const struct job_restore_sources *sources, const char *id,
                        uint32_t *damaged, struct error *error)
{
    struct restore restore = {.sources = sources, .error = error};
    if (read_job(&restore, id)) {
        job_set_places(restore.job, restore.places);
    } else {
        free(restore.places);
        job_destroy(&restore.job);
    }
    ended_refs_fini(&restore.refs);
    free(restore.ended_ns);
    free(restore.extras);
    *damaged = restore.damaged;
    return restore.job;
}
