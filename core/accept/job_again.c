#include "accept/job_again.h"

#include <assert.h>
#include <string.h>

#include "accept/task_restore.h"
#include "plugin/params.h"

static void keep(struct job_again *again, const char *text)
{
    buffer_append(&again->texts, text, strlen(text) + 1);
}

static bool has_late(const void *record, size_t bytes)
{
    struct params_reader reader;
    struct params_field field;
    struct params_text text;
    params_begin(&reader, record, bytes);
    while (params_next(&reader, &field)) {
        if (field.late)
            return true;
        uint32_t texts = field.kind == SLUICE_KIND_LIST  ? field.count
                         : field.kind == SLUICE_KIND_MAP ? 2 * field.count
                                                         : 0;
        for (uint32_t i = 0; i < texts && params_next_text(&reader, &text); i++)
            ;
    }
    return false;
}

void job_again_note(struct job_again *again, const struct store_task *task)
{
    const struct store_task_given *given = &task->given;
    struct task_extra extra;
    bool right = task_extra_read(given->extra, given->extra_bytes, &extra);
    *again = (struct job_again){.key = task->job->key,
                                .number = task->number,
                                .late = has_late(given->params, given->params_bytes),
                                .is_damaged = !right,
                                .is_unique = right && extra.unique != NULL,
                                .job_is_ending = task->job->stopped &&
                                                 task->job->by_state[STORE_UNFINISHED] > 0};
    snprintf(again->job, JOB_ID_BYTES, "%s", task->job->given.id);
    keep(again, given->type);
    if (again->is_unique)
        keep(again, extra.unique);
}

const char *job_again_type(const struct job_again *again)
{
    return again->texts.bytes;
}

const char *job_again_unique(const struct job_again *again)
{
    const char *type = again->texts.bytes;
    return again->is_unique ? type + strlen(type) + 1 : NULL;
}

struct job *job_again_make(const struct store_task *stored, struct chunk_pool *pool,
                           const struct type *type)
{
    const struct store_job_given *given = &stored->job->given;
    const char *id = stored->given.id;
    struct job *job = job_create_one(pool, given->name, given->file);
    struct task_extra extra;
    uint32_t first_line;
    bool right = task_extra_read(stored->given.extra, stored->given.extra_bytes, &extra);
    assert(right && extra.late.count == 0);
    snprintf(job->id, JOB_ID_BYTES, "%s", given->id);
    job->store_key = stored->job->key;
    job->max_weight = given->max_weight;
    struct task *task = job_add_task(job, id, strlen(id), &first_line);
    assert(task != NULL);
    task->type = type;
    task_restore(task, stored, &extra);
    task->number = stored->number;
    job_seal(job);
    return job;
}

void job_again_fini(struct job_again *again)
{
    buffer_fini(&again->texts);
}
