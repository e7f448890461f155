#include "accept/job_again.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "accept/task_extra.h"
#include "plugin/params.h"

static void keep(struct job_again *again, const char *text)
{
    buffer_append(&again->texts, text, strlen(text) + 1);
}

/* The texts stand behind each other. */
static const char *next_text(const char *text)
{
    return text + strlen(text) + 1;
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
    const struct sluice_map *labels = given->labels;
    *again = (struct job_again){.key = task->job->key,
                                .number = task->number,
                                .line = given->line,
                                .attempt = task->attempt,
                                .charged = task->charged,
                                .timeout_ns = given->timeout_ns,
                                .weight = given->weight,
                                .max_weight = task->job->given.max_weight,
                                .priority = given->priority,
                                .late = has_late(given->params, given->params_bytes),
                                .labels_count = labels != NULL ? (uint32_t)labels->count : 0};
    memcpy(again->job, task->job->given.id, JOB_ID_BYTES);
    if (given->params_bytes > 0)
        buffer_append(&again->params, given->params, given->params_bytes);
    if (given->extra_bytes > 0)
        buffer_append(&again->extra, given->extra, given->extra_bytes);
    keep(again, given->id);
    keep(again, given->type);
    keep(again, task->job->given.name);
    keep(again, task->job->given.file);
    for (uint32_t i = 0; i < again->labels_count; i++) {
        keep(again, labels->pairs[i].key);
        keep(again, labels->pairs[i].value);
    }
}

bool job_again_unique(const struct job_again *again, const char **unique)
{
    struct task_extra extra;
    bool right = task_extra_read(again->extra.bytes, again->extra.length, &extra);
    *unique = right ? extra.unique : NULL;
    return right;
}

const char *job_again_type(const struct job_again *again)
{
    return next_text(again->texts.bytes);
}

static const char *keep_text(struct job *job, const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(job_alloc(job, bytes, 1), text, bytes);
}

/* at: the key of the first one. */
static const struct sluice_map *make_labels(const struct job_again *again, struct job *job,
                                            const char *at)
{
    if (again->labels_count == 0)
        return NULL;
    struct sluice_pair *pairs =
        job_alloc(job, again->labels_count * sizeof *pairs, alignof(struct sluice_pair));
    for (uint32_t i = 0; i < again->labels_count; i++) {
        pairs[i].key = keep_text(job, at);
        at = next_text(at);
        pairs[i].value = keep_text(job, at);
        at = next_text(at);
    }
    struct sluice_map *map = job_alloc(job, sizeof *map, alignof(struct sluice_map));
    *map = (struct sluice_map){.count = again->labels_count, .pairs = pairs};
    return map;
}

static void fill_extra(const struct job_again *again, struct job *job, struct task *task)
{
    struct task_extra extra;
    bool right = task_extra_read(again->extra.bytes, again->extra.length, &extra);
    assert(right);
    if (!right)
        return;
    if (extra.unique != NULL)
        task->unique = keep_text(job, extra.unique);
    if (!extra.has_retry)
        return;
    struct sluice_retry *retry = job_alloc(job, sizeof *retry, alignof(struct sluice_retry));
    *retry = extra.retry;
    task->retry = retry;
}

struct job *job_again_make(const struct job_again *again, struct chunk_pool *pool,
                           const struct type *type)
{
    const char *id = again->texts.bytes;
    const char *name = next_text(next_text(id)), *file = next_text(name);
    struct job *job = job_create_one(pool, name, file);
    uint32_t first_line;
    memcpy(job->id, again->job, JOB_ID_BYTES);
    job->store_key = again->key;
    job->max_weight = again->max_weight;
    struct task *task = job_add_task(job, id, strlen(id), &first_line);
    assert(task != NULL);
    task->type = type;
    char *params = job_alloc(job, again->params.length + 1, 1);
    if (again->params.length > 0)
        memcpy(params, again->params.bytes, again->params.length);
    task->params = params;
    task->params_bytes = (uint32_t)again->params.length;
    task->labels = make_labels(again, job, next_text(file));
    task->timeout_ns = again->timeout_ns;
    task->weight = again->weight;
    task->priority = again->priority;
    task->line = again->line;
    task->number = again->number;
    task->name = again->attempt;
    task->attempt = again->charged + 1;
    fill_extra(again, job, task);
    job_seal(job);
    return job;
}

void job_again_fini(struct job_again *again)
{
    buffer_fini(&again->texts);
    buffer_fini(&again->params);
    buffer_fini(&again->extra);
}
