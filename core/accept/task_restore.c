#include "accept/task_restore.h"

#include <stdalign.h>
#include <string.h>

#include "accept/late.h"

void *task_keep(struct job *job, const void *bytes, size_t length, size_t align)
{
    void *memory = job_alloc(job, length, align);
    return length > 0 ? memcpy(memory, bytes, length) : memory;
}

static const char *keep_text(struct job *job, const char *text)
{
    return task_keep(job, text, strlen(text) + 1, 1);
}

static const struct sluice_map *keep_labels(struct job *job, const struct sluice_map *labels)
{
    if (labels == NULL)
        return NULL;
    struct sluice_map *map = task_keep(job, labels, sizeof *map, alignof(struct sluice_map));
    struct sluice_pair *pairs =
        task_keep(job, labels->pairs, labels->count * sizeof *pairs, alignof(struct sluice_pair));
    for (size_t i = 0; i < labels->count; i++) {
        pairs[i].key = keep_text(job, pairs[i].key);
        pairs[i].value = keep_text(job, pairs[i].value);
    }
    map->pairs = pairs;
    return map;
}

/* What the parameters refer to stands in front of them, see late.h. */
static const char *keep_params(struct job *job, const struct store_task_given *given,
                               uint32_t late_count)
{
    size_t front = late_count > 0 ? late_bytes(late_count) : 0;
    char *memory = job_alloc(job, front + given->params_bytes, alignof(struct result *));
    if (late_count > 0)
        late_begin(memory, late_count);
    if (given->params_bytes > 0)
        memcpy(memory + front, given->params, given->params_bytes);
    return memory + front;
}

void task_restore(struct task *task, const struct store_task *stored,
                  const struct task_extra *extra)
{
    const struct store_task_given *given = &stored->given;
    struct job *job = task->job;
    task->labels = keep_labels(job, given->labels);
    task->params = keep_params(job, given, extra->late.count);
    task->params_bytes = given->params_bytes;
    task->line = given->line;
    task->timeout_ns = given->timeout_ns;
    task->weight = given->weight;
    task->priority = given->priority;
    task->attempt = stored->charged + 1;
    task->name = stored->attempt;
    task->late = extra->late.count > 0;
    if (extra->has_retry)
        task->retry =
            task_keep(job, &extra->retry, sizeof extra->retry, alignof(struct sluice_retry));
    if (extra->unique != NULL)
        task->unique = keep_text(job, extra->unique);
}
