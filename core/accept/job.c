#include "accept/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "accept/dependents.h"
#include "accept/id_index.h"
#include "accept/past.h"
#include "accept/result_map.h"
#include "accept/ulid.h"
#include "accept/window.h"
#include "support/clock.h"
#include "support/memory.h"

enum { CHUNKS_FIRST = 4 };

/* Copies a text of length bytes. */
static char *text_keep(struct job_text_room *room, const char *text, size_t length)
{
    char *copy = length < sizeof room->bytes ? room->bytes : malloc(length + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static void text_drop(const struct job_text_room *room, char *text)
{
    if (text != room->bytes)
        free(text);
}

/* Returns its length; *name is in the file's name. */
static size_t name_of_file(const char *file, const char **name)
{
    const char *slash = strrchr(file, '/');
    const char *base = strcmp(file, "-") == 0 ? "stdin" : slash != NULL ? slash + 1 : file;
    const char *dot = strrchr(base, '.');
    *name = base;
    return dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
}

static void job_init(struct job *job, struct chunk_pool *pool, const char *name, const char *file)
{
    size_t length = name != NULL ? strlen(name) : name_of_file(file, &name);
    *job = (struct job){.pool = pool, .unfinished = 1};
    ulid_make(job->id);
    job->name = text_keep(&job->name_room, name, length);
    job->file = text_keep(&job->file_room, file, strlen(file));
}

struct job *job_create(struct chunk_pool *pool, const char *name, const char *file,
                       enum job_mode mode)
{
    struct job *job = aligned_alloc(_Alignof(struct job), sizeof *job);
    if (job == NULL)
        abort();
    job_init(job, pool, name, file);
    job->mode = mode;
    job->ids = id_index_create(mode == JOB_STREAMED ? JOB_STREAM_WINDOW : 0);
    job->window = mode == JOB_STREAMED ? window_create() : NULL;
    return job;
}

struct job *job_create_one(struct chunk_pool *pool, const char *name, const char *file)
{
    struct chunk *home = chunk_open_single(pool, sizeof(struct job));
    struct job *job = chunk_job_room(home);
    job_init(job, pool, name, file);
    job->mode = JOB_CHECKED;
    job->keep = JOB_KEEPS_ONE;
    job->home = job->open = home;
    job->chunks = &job->home;
    job->chunks_count = job->chunks_capacity = 1;
    return job;
}

struct task *job_task(const struct job *job, uint32_t number)
{
    return chunk_task(job->chunks[number / CHUNK_TASKS], number % CHUNK_TASKS);
}

static struct task *nth_task(const struct job *job, uint32_t position)
{
    return job_task(job, job->order != NULL ? job->order[position] : position);
}

/* Lets go of the tasks that were not handed on. */
static void release_rest(struct job *job)
{
    if (job->mode == JOB_STREAMED)
        return;
    for (uint32_t i = job->tasks_taken; i < job->tasks_count; i++)
        chunk_release(nth_task(job, i)->chunk, 1);
}

void job_set_keep(struct job *job, enum job_keep keep)
{
    assert(job->mode == JOB_CHECKED && job->tasks_count == 0);
    assert(keep != JOB_KEEPS_ONE && job->keep != JOB_KEEPS_ONE);
    job->keep = keep;
}

/* Ends the stay of chunks that were kept for the job's sake. */
static void release_kept(struct job *job)
{
    for (size_t i = 0; i < job->chunks_count && job->keep == JOB_KEEPS_ALL; i++)
        chunk_release(job->chunks[i], 1);
}

static void forget_order(struct job *job)
{
    free(job->order);
    free(job->places);
    job->order = job->places = NULL;
}

/* Frees all that belongs to its tasks. */
static void forget_tasks(struct job *job)
{
    job_seal(job);
    release_rest(job);
    release_kept(job);
    job->tasks_taken = job->tasks_count;
    job->chunks_count = 0;
    if (job->home == NULL)
        free(job->chunks);
    job->chunks = NULL;
    forget_order(job);
    id_index_destroy(&job->ids);
    graph_destroy(&job->graph);
    struct dependents *dependents = atomic_exchange(&job->dependents, NULL);
    dependents_destroy(&dependents);
    window_destroy(&job->window);
    result_map_destroy(&job->results);
    past_destroy(&job->past);
}

void job_shrink(struct job *job)
{
    if (job->keep == JOB_KEEPS_UNFINISHED)
        forget_tasks(job);
}

void job_destroy(struct job **job_pointer)
{
    struct job *job = *job_pointer;
    if (job == NULL)
        return;
    forget_tasks(job);
    text_drop(&job->name_room, job->name);
    text_drop(&job->file_room, job->file);
    free(job->origin);
    if (job->home != NULL)
        chunk_release(job->home, 1);
    else
        free(job);
    *job_pointer = NULL;
}

void job_list_add(struct job_list *list, struct job *job)
{
    if (list->last != NULL)
        list->last->next = job;
    else
        list->first = job;
    list->last = job;
    list->count++;
}

void job_list_fini(struct job_list *list)
{
    for (struct job *job, *next = list->first; (job = next) != NULL;) {
        next = job->next;
        job_destroy(&job);
    }
    *list = (struct job_list){0};
}

void job_set_name(struct job *job, const char *name)
{
    text_drop(&job->name_room, job->name);
    job->name = text_keep(&job->name_room, name, strlen(name));
}

/* Returns a chunk to be filled. One is home to only one task, but may be filled anew. */
static struct chunk *next_chunk(struct job *job)
{
    if (job->home == NULL)
        return chunk_open(job->pool, job);
    chunk_reopen(job->home);
    return job->home;
}

static void open_next_chunk(struct job *job)
{
    if (job->open != NULL)
        chunk_seal(job->open);
    job->open = next_chunk(job);
    if (job->mode == JOB_STREAMED)
        return;
    if (job->keep == JOB_KEEPS_ALL)
        chunk_keep(job->open);
    if (job->chunks_count == job->chunks_capacity) {
        job->chunks_capacity = job->chunks_capacity ? job->chunks_capacity * 2 : CHUNKS_FIRST;
        job->chunks = memory_grow(job->chunks, job->chunks_capacity, sizeof(struct chunk *));
    }
    job->chunks[job->chunks_count++] = job->open;
}

void job_expect_id(struct job *job, const char *id, size_t length)
{
    if (job->ids != NULL)
        id_index_expect(job->ids, id_index_hash(id, length));
}

/* Adds the newest task's id to the index; false, with the number of the task that has it, if it is
 * there already. */
static bool note_id(struct job *job, const char *id, size_t length, uint32_t *number)
{
    uint64_t hash = id_index_hash(id, length);
    if (id_index_find(job->ids, hash, id, number))
        return false;
    id_index_add(job->ids, hash, id, length, job->tasks_count);
    return true;
}

struct task *job_add_task(struct job *job, const char *id, size_t length, uint32_t *first_line)
{
    assert(length > 0 && length <= TASK_ID_MOST_BYTES);
    uint32_t number;
    job_expect_id(job, id, length);
    if (job->open == NULL || chunk_is_full(job->open))
        open_next_chunk(job);
    struct task *task = chunk_add(job->open);
    char *kept = chunk_alloc(job->open, length + 1, 1);
    memcpy(kept, id, length);
    kept[length] = '\0';
    if (job->ids != NULL && !note_id(job, kept, length, &number)) {
        *first_line = job->mode == JOB_CHECKED ? job_task(job, number)->line : 0;
        chunk_take_back(job->open);
        return NULL;
    }
    task->id = kept;
    task->number = job->tasks_count++;
    task->attempt = 1;
    task->name = 1;
    if (job->mode == JOB_STREAMED)
        window_add(job->window, task->number);
    return task;
}

static bool is_only_task(const struct job *job, const char *id)
{
    return job->tasks_count > 0 && strcmp(job_task(job, 0)->id, id) == 0;
}

bool job_find_task(const struct job *job, const char *id, size_t length, uint32_t *number)
{
    if (length > TASK_ID_MOST_BYTES)
        return false;
    if (job->ids != NULL)
        return id_index_find(job->ids, id_index_hash(id, length), id, number);
    if (job->home == NULL || !is_only_task(job, id))
        return false;
    *number = 0;
    return true;
}

bool job_is_task(const struct job *job, uint32_t number, const char *id)
{
    return job->home != NULL ? number == 0 && is_only_task(job, id)
                             : id_index_is(job->ids, number, id);
}

void job_set_order(struct job *job, uint32_t *order)
{
    assert(job->mode == JOB_CHECKED && job->order == NULL);
    job->order = order;
    job->places = memory_grow(NULL, job->tasks_count, sizeof *job->places);
    for (uint32_t place = 0; place < job->tasks_count; place++)
        job->places[order[place]] = place;
}

void job_take_back_task(struct job *job)
{
    assert(job->open != NULL && job->tasks_count > 0);
    if (job->ids != NULL)
        id_index_take_back(job->ids);
    chunk_take_back(job->open);
    job->tasks_count--;
}

void job_clear(struct job *job)
{
    assert(job->mode == JOB_CHECKED && job->tasks_taken == 0);
    job_seal(job);
    release_rest(job);
    release_kept(job);
    job->chunks_count = 0;
    job->tasks_count = 0;
    atomic_store(&job->total, 0);
    forget_order(job);
    graph_destroy(&job->graph);
    result_map_destroy(&job->results);
    id_index_destroy(&job->ids);
    job->ids = job->home != NULL ? NULL : id_index_create(0);
}

void *job_alloc(struct job *job, size_t bytes, size_t align)
{
    return chunk_alloc(job->open, bytes, align);
}

void job_set_places(struct job *job, uint32_t *places)
{
    assert(job->mode == JOB_CHECKED && job->places == NULL);
    job->places = places;
}

bool job_take_tasks(struct job *job, size_t most, struct task_list *list)
{
    assert(job->mode == JOB_CHECKED && job->open == NULL);
    job_turn_graph(job);
    while (list->count < most && job->tasks_taken < job->tasks_count)
        task_list_push(list, nth_task(job, job->tasks_taken++));
    if (list->count == 0)
        graph_destroy(&job->graph);
    return list->count > 0;
}

void job_list_tasks(const struct job *job, struct task_list *list)
{
    assert(job->keep != JOB_KEEPS_UNFINISHED && job->tasks_taken == job->tasks_count);
    for (uint32_t place = 0; place < job->tasks_count; place++)
        task_list_push(list, nth_task(job, place));
}

void job_seal(struct job *job)
{
    if (job->open == NULL)
        return;
    if (job->mode == JOB_CHECKED && chunk_count(job->open) == 0) {
        job->chunks_count--; /* its only task was taken back: it goes at once */
        if (job->keep == JOB_KEEPS_ALL)
            chunk_release(job->open, 1);
    }
    chunk_seal(job->open);
    job->open = NULL;
    atomic_store(&job->total, job->tasks_count);
}

void job_end_reading(struct job *job)
{
    job_seal(job);
    if (job->keep == JOB_KEEPS_UNFINISHED)
        id_index_destroy(&job->ids);
}

bool job_is_left(const struct job *job)
{
    uint32_t ended = 0;
    for (int state = 0; state < TASK_STATE_COUNT; state++)
        ended += atomic_load_explicit(&job->ended[state], memory_order_relaxed);
    return ended < atomic_load_explicit(&job->submitted, memory_order_relaxed);
}

void job_count_submitted(struct job *job, uint32_t count)
{
    atomic_fetch_add_explicit(&job->unfinished, count, memory_order_relaxed);
    atomic_fetch_add_explicit(&job->submitted, count, memory_order_relaxed);
}

bool job_count_ended(struct job *job, enum task_state state, uint32_t count)
{
    if (state != TASK_ACCEPTED)
        atomic_fetch_add_explicit(&job->ended[state], count, memory_order_relaxed);
    uint32_t before = atomic_fetch_sub_explicit(&job->unfinished, count, memory_order_acq_rel);
    assert(before >= count);
    return before == count;
}
