#include "accept/past.h"

#include <stdlib.h>
#include <string.h>

#include "accept/job.h"
#include "support/cleanup.h"
#include "support/dictionary.h"
#include "support/memory.h"

struct known {
    struct dictionary_entry by_id;
    uint64_t digest; /* of what the task is */
    struct past_end end;
    bool has_ended;
    char texts[]; /* id, reason, message, outputs */
};

struct past {
    struct dictionary tasks;
    uint64_t *jobs; /* their keys in the store, the oldest first */
    size_t jobs_count;
    bool whole; /* all tasks that the file had are known */
    const char *file;
    uint32_t document;
};

/* ---- what a task is ---- */

/* FNV-1a. */
static uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        digest = (digest ^ at[i]) * UINT64_C(0x100000001b3);
    return digest;
}

static uint64_t digest_text(uint64_t digest, const char *text)
{
    return digest_bytes(digest, text, strlen(text) + 1);
}

static uint64_t digest_of(const struct store_task_given *given)
{
    uint64_t digest = digest_text(UINT64_C(0xcbf29ce484222325), given->type);
    digest = digest_bytes(digest, given->params, given->params_bytes);
    for (size_t i = 0; given->labels != NULL && i < given->labels->count; i++) {
        digest = digest_text(digest, given->labels->pairs[i].key);
        digest = digest_text(digest, given->labels->pairs[i].value);
    }
    return digest;
}

/* ---- reading the store ---- */

static bool note_job(void *context, const struct store_job *job)
{
    struct past *past = context;
    if (strcmp(job->given.file, past->file) != 0 || job->given.document != past->document)
        return true;
    past->jobs = memory_grow(past->jobs, past->jobs_count + 1, sizeof *past->jobs);
    past->jobs[past->jobs_count++] = job->key;
    past->whole = past->whole || job->sealed;
    return true;
}

static const char *put(char **end, const void *bytes, size_t length)
{
    char *copy = *end;
    if (length > 0)
        memcpy(copy, bytes, length);
    *end += length;
    return copy;
}

static struct known *known_create(const struct store_task *task)
{
    static const struct store_attempt none = {.reason = "", .message = ""};
    const struct store_attempt *last =
        task->attempts_count > 0 ? &task->attempts[task->attempts_count - 1] : &none;
    size_t id = strlen(task->given.id) + 1, reason = strlen(last->reason) + 1;
    size_t message = strlen(last->message) + 1;
    struct known *known = malloc(sizeof *known + id + reason + message + task->outputs_bytes);
    if (known == NULL)
        abort();
    char *end = known->texts;
    known->by_id.text = put(&end, task->given.id, id);
    known->digest = digest_of(&task->given);
    known->has_ended = task->state != STORE_UNFINISHED;
    known->end = (struct past_end){.state = task_state_of(task->state),
                                   .started_wall_ns = last->started_wall_ns,
                                   .ended_wall_ns = last->ended_wall_ns};
    known->end.reason = put(&end, last->reason, reason);
    known->end.message = put(&end, last->message, message);
    known->end.outputs.length = task->outputs_bytes;
    known->end.outputs.bytes = (char *)(uintptr_t)put(&end, task->outputs, task->outputs_bytes);
    return known;
}

static void forget_known(struct past *past, struct known *known)
{
    dictionary_remove(&past->tasks, &known->by_id);
    free(known);
}

/* A run that goes on may itself have been interrupted: its job is the later one, and does not know
 * yet of all that has ended in the one before. */
static bool note_task(void *context, const struct store_task *task)
{
    struct past *past = context;
    struct known *before = (struct known *)dictionary_find(&past->tasks, task->given.id);
    if (before != NULL && before->has_ended && task->state == STORE_UNFINISHED)
        return true;
    if (before != NULL)
        forget_known(past, before);
    dictionary_add(&past->tasks, &known_create(task)->by_id);
    return true;
}

struct past *past_load(struct store *store, const char *file, uint32_t document,
                       struct error *error)
{
    struct past *past = calloc(1, sizeof *past);
    if (past == NULL)
        abort();
    dictionary_init(&past->tasks);
    past->file = file;
    past->document = document;
    bool read = store_visit_jobs(store, note_job, past, error);
    for (size_t i = 0; i < past->jobs_count && read; i++) {
        const struct store_query query = {.job = past->jobs[i]};
        read = store_visit(store, &query, note_task, past, error);
    }
    if (!read)
        past_destroy(&past);
    return past;
}

void past_destroy(struct past **past_pointer)
{
    struct past *past = *past_pointer;
    if (past == NULL)
        return;
    for (size_t i = 0; i < past->tasks.bucket_count; i++)
        while (past->tasks.buckets[i] != NULL) {
            struct dictionary_entry *entry = past->tasks.buckets[i];
            past->tasks.buckets[i] = entry->next;
            free(entry);
        }
    dictionary_fini(&past->tasks);
    free(past->jobs);
    free(past);
    *past_pointer = NULL;
}

/* ---- asking ---- */

bool past_find(const struct past *past, const struct task *task, struct past_end *end)
{
    const struct known *known = (struct known *)dictionary_find(&past->tasks, task->id);
    if (known == NULL || !known->has_ended)
        return false;
    *end = known->end;
    return true;
}

static void say(struct diagnostics *diagnostics, const struct task *task, const char *how)
{
    struct place place = {.line = task->line};
    char message[TASK_ID_MOST_BYTES + 128];
    snprintf(message, sizeof message,
             "task '%s' %s since the state was written: --changed goes on all the same", task->id,
             how);
    diagnostics_add(diagnostics, place, "changed", message, NULL);
}

void past_compare(const struct past *past, const struct job *job, struct diagnostics *diagnostics)
{
    struct store_task_given given;
    size_t found = 0;
    for (uint32_t number = 0; number < job->tasks_count && past->whole; number++) {
        const struct task *task = job_task(job, number);
        const struct known *known = (struct known *)dictionary_find(&past->tasks, task->id);
        task_describe(task, &given);
        found += known != NULL;
        if (known == NULL)
            say(diagnostics, task, "is new");
        else if (known->digest != digest_of(&given))
            say(diagnostics, task, "has changed");
    }
    if (past->whole && found < past->tasks.count && diagnostics->found_count == 0)
        diagnostics_add(diagnostics, (struct place){0}, "changed",
                        "tasks are gone since the state was written: --changed goes on all the "
                        "same",
                        NULL);
}

bool past_forget(struct past *past, struct store *store, struct error *error)
{
    for (; past->jobs_count > 0; past->jobs_count--)
        if (!store_forget_job(store, past->jobs[past->jobs_count - 1], error))
            return false;
    return true;
}
