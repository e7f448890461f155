#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/memory.h"

struct memory_job *memory_job_find(struct memory *memory, uint64_t key)
{
    if (memory->in_hand == NULL || memory->in_hand->job.key != key)
        memory->in_hand =
            key == 0 || key > UINT32_MAX
                ? NULL
                : (struct memory_job *)memory_slots_get(&memory->jobs, (uint32_t)(key - 1));
    return memory->in_hand;
}

static const char *put_text(char **end, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = memcpy(*end, text, bytes);
    *end += bytes;
    return copy;
}

/* Nearly every job is a small one: those stand in a slab. */
static struct memory_job *job_allocate(struct memory *memory, size_t texts_bytes)
{
    bool is_usual = texts_bytes <= MEMORY_JOB_USUAL_TEXTS;
    struct memory_job *job =
        is_usual ? slab_alloc(&memory->usual_jobs) : malloc(sizeof(*job) + texts_bytes);

    if (job == NULL)
        abort();
    *job = (struct memory_job){.is_usual = is_usual};
    return job;
}

void memory_job_discard(struct memory *memory, struct memory_job *job)
{
    if (job->is_usual)
        slab_free(&memory->usual_jobs, job);
    else
        free(job);
}

/* The hash is taken of the text that was given: the copy is still on its way to the memory. */
struct memory_job *memory_job_create(struct memory *memory, const struct store_job_given *given)
{
    size_t origin = given->origin == NULL ? 0 : strlen(given->origin) + 1;
    size_t bytes = strlen(given->id) + strlen(given->name) + strlen(given->file) + 3 + origin;
    struct memory_job *job = job_allocate(memory, bytes);
    char *end = job->texts;
    job->job.given = *given;
    job->job.given.id = put_text(&end, given->id);
    job->job.given.name = put_text(&end, given->name);
    job->job.given.file = put_text(&end, given->file);
    job->job.given.origin = origin == 0 ? NULL : put_text(&end, given->origin);
    job->last_end_wall_ns = given->submitted_wall_ns;
    memory_slots_init(&job->tasks);
    dictionary_entry_init(&job->by_id, given->id);
    job->by_id.text = job->job.given.id;
    dictionary_expect(&memory->jobs_by_id, &job->by_id);
    return job;
}

bool memory_job_enter(struct memory *memory, struct memory_job *job, struct error *error)
{
    if (!dictionary_add_new(&memory->jobs_by_id, &job->by_id))
        return error_set(error, "duplicate_id", "there is a job '%s' already", job->by_id.text);
    job->job.key = (uint64_t)memory_slots_add(&memory->jobs, (uintptr_t)job) + 1;
    return true;
}

void memory_job_unkeep(struct memory *memory, struct memory_job *job)
{
    if (!job->is_kept)
        return;
    TAILQ_REMOVE(&memory->kept_jobs, job, kept_link);
    memory->kept_jobs_count--;
    job->is_kept = false;
}

void memory_job_destroy(struct memory *memory, struct memory_job *job)
{
    for (uint32_t number = 0; memory_slots_next(&job->tasks, &number); number++) {
        struct memory_record *record = memory_word_record(memory_slots_get(&job->tasks, number));
        memory_record_destroy(&record);
    }
    memory_job_unkeep(memory, job);
    memory_slots_fini(&job->tasks);
    memory_ids_fini(&job->ids);
    dictionary_remove(&memory->jobs_by_id, &job->by_id);
    memory_slots_set(&memory->jobs, (uint32_t)(job->job.key - 1), 0);
    if (memory->in_hand == job)
        memory->in_hand = NULL;
    memory_job_discard(memory, job);
}

void memory_job_forget(struct memory *memory, struct memory_job *job)
{
    for (uint32_t number = 0; memory_slots_next(&job->tasks, &number); number++) {
        const struct memory_record *record =
            memory_word_record(memory_slots_get(&job->tasks, number));
        memory->by_state[record == NULL ? STORE_UNFINISHED : record->task.state]--;
        if (record != NULL && record->list == &memory->dead)
            memory_types_remove(&memory->dead_types, record->task.given.type);
    }
    memory_job_destroy(memory, job);
}

static bool job_is_over(const struct memory_job *job)
{
    return job->job.sealed && job->job.by_state[STORE_UNFINISHED] == 0;
}

static void destroy_if_not_needed(struct memory *memory, struct memory_job *job)
{
    if (job_is_over(job) && !job->is_kept && job->tasks.used == 0)
        memory_job_destroy(memory, job);
}

void memory_job_settle(struct memory *memory, struct memory_job *job)
{
    uint64_t kept_most = memory->store.options.finished_max;

    if (job_is_over(job) && !job->is_kept && !job->was_kept && kept_most > 0) {
        TAILQ_INSERT_TAIL(&memory->kept_jobs, job, kept_link);
        job->is_kept = job->was_kept = true;
        if (++memory->kept_jobs_count > kept_most) {
            struct memory_job *oldest = TAILQ_FIRST(&memory->kept_jobs);
            memory_job_unkeep(memory, oldest);
            destroy_if_not_needed(memory, oldest);
        }
    }
    destroy_if_not_needed(memory, job);
}
