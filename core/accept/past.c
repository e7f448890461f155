#include "accept/past.h"

#include <stdlib.h>
#include <string.h>

#include "accept/job.h"
#include "support/cleanup.h"
#include "support/dictionary.h"

struct known {
    struct dictionary_entry by_id;
    uint64_t digest; /* of what the task is */
    size_t seen;     /* in how many-th of the jobs it was last, from 1 */
    struct past_end end;
    bool has_ended;
    char texts[]; /* id, reason, message, outputs */
};

struct past {
    struct dictionary tasks;
    const struct past_job *jobs; /* the oldest first */
    size_t jobs_count;
    size_t read;  /* how many of them are, with the one that is being read */
    size_t whole; /* which was the last whose tasks are all known, from 1: it is what the file had;
                     0: none */
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

static const char *put(char **end, const void *bytes, size_t length)
{
    char *copy = *end;
    if (length > 0)
        memcpy(copy, bytes, length);
    *end += length;
    return copy;
}

static struct known *known_create(const struct past *past, const struct store_task *task)
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
    dictionary_entry_init(&known->by_id, put(&end, task->given.id, id));
    known->digest = digest_of(&task->given);
    known->seen = past->read;
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
    if (before != NULL && before->has_ended && task->state == STORE_UNFINISHED) {
        before->digest = digest_of(&task->given);
        before->seen = past->read;
        return true;
    }
    if (before != NULL)
        forget_known(past, before);
    dictionary_add(&past->tasks, &known_create(past, task)->by_id);
    return true;
}

struct past *past_load(struct store *store, const struct past_job *jobs, size_t count,
                       struct error *error)
{
    struct past *past = calloc(1, sizeof *past);
    bool read = true;
    if (past == NULL)
        abort();
    dictionary_init(&past->tasks);
    past->jobs = jobs;
    past->jobs_count = count;
    while (past->read < count && read) {
        const struct past_job *job = &jobs[past->read++];
        const struct store_query query = {.job = job->key};
        past->whole = job->sealed ? past->read : past->whole;
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
    struct dictionary_entry *entry;
    for (uint64_t place = 0; (entry = dictionary_next(&past->tasks, &place)) != NULL;)
        free(entry);
    dictionary_fini(&past->tasks);
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

/* Whether the file had it when it was last read as a whole. */
static bool was_there(const struct past *past, const struct known *known)
{
    return known != NULL && known->seen >= past->whole;
}

static size_t count_there(const struct past *past)
{
    size_t count = 0;
    const struct dictionary_entry *entry;
    for (uint64_t place = 0; (entry = dictionary_next(&past->tasks, &place)) != NULL;)
        count += was_there(past, (const struct known *)entry);
    return count;
}

/* Returns whether the file had the task, and says so if it is another now. */
static bool compare(const struct past *past, const struct task *task,
                    struct diagnostics *diagnostics)
{
    struct store_task_given given;
    const struct known *known = (struct known *)dictionary_find(&past->tasks, task->id);
    task_describe(task, &given);
    if (!was_there(past, known)) {
        say(diagnostics, task, "is new");
        return false;
    }
    if (known->digest != digest_of(&given))
        say(diagnostics, task, "has changed");
    return true;
}

void past_compare(const struct past *past, const struct job *job, struct diagnostics *diagnostics)
{
    size_t found = 0;
    if (past->whole == 0)
        return;
    for (uint32_t number = 0; number < job->tasks_count; number++)
        found += compare(past, job_task(job, number), diagnostics);
    if (found < count_there(past) && diagnostics->found_count == 0)
        diagnostics_add(diagnostics, (struct place){0}, "changed",
                        "tasks are gone since the state was written: --changed goes on all the "
                        "same",
                        NULL);
}

bool past_forget(struct past *past, struct store *store, struct error *error)
{
    for (; past->jobs_count > 0; past->jobs_count--)
        if (!store_forget_job(store, past->jobs[past->jobs_count - 1].key, error))
            return false;
    return true;
}
