#include "accept/late.h"

#include <stdlib.h>
#include <string.h>

#include "accept/job.h"

/* What stands right in front of the parameters, behind the list. */
struct tail {
    uint64_t count;
};

size_t late_bytes(uint32_t count)
{
    return count * sizeof(struct result *) + sizeof(struct tail);
}

void late_begin(void *memory, uint32_t count)
{
    const struct tail tail = {.count = count};
    memset(memory, 0, late_bytes(count));
    memcpy((char *)memory + late_bytes(count) - sizeof tail, &tail, sizeof tail);
}

struct result **late_results(const struct task *task, uint32_t *count)
{
    struct tail tail;
    const char *behind = task->params - sizeof tail;
    memcpy(&tail, behind, sizeof tail);
    *count = (uint32_t)tail.count;
    return (struct result **)(void *)(uintptr_t)(behind - tail.count * sizeof(struct result *));
}

void late_release(const struct task *task)
{
    uint32_t count;
    struct result **results = late_results(task, &count);
    for (uint32_t i = 0; i < count && task->job->mode == JOB_STREAMED; i++)
        result_release(&results[i]);
}

struct reference {
    const struct result *result;
    const char *id;
    int id_length;
    const char *rest; /* ".status" or ".output.NAME" */
};

/* References come from the job file reader; from a store they could be damaged. */
static bool reference_read(const struct task *task, const char *text, struct reference *reference)
{
    char *at;
    uint32_t count;
    struct result **results = late_results(task, &count);
    unsigned long index = strtoul(text, &at, 10);
    if (*at != '/' || index >= count || results[index] == NULL)
        return false;
    unsigned long length = strtoul(at + 1, &at, 10);
    if (*at != '/' || length == 0 || length >= strlen(at + 1))
        return false;
    *reference = (struct reference){results[index], at + 1, (int)length, at + 1 + length};
    return true;
}

static const char *find_output(const struct reference *reference, const char *name,
                               struct error *error)
{
    enum task_state state = result_state(reference->result);
    const char *text = state == TASK_SUCCEEDED ? result_output(reference->result, name) : NULL;
    if (text == NULL && state == TASK_SUCCEEDED && reference->result->forgotten)
        error_set(error, "params_rejected", "the outputs of task '%.*s' are not kept any more",
                  reference->id_length, reference->id);
    else if (text == NULL && state == TASK_SUCCEEDED)
        error_set(error, "params_rejected", "task '%.*s' has no output '%s'", reference->id_length,
                  reference->id, name);
    else if (text == NULL)
        error_set(error, "params_rejected", "task '%.*s' has no outputs: it is %s",
                  reference->id_length, reference->id, task_state_word(state));
    return text;
}

const char *late_find(const struct task *task, const char *text, struct error *error)
{
    static const char status[] = ".status", output[] = ".output.";
    struct reference reference;
    if (!reference_read(task, text, &reference)) {
        error_set(error, "params_rejected", "the packed parameters are damaged");
        return NULL;
    }
    if (result_state(reference.result) == TASK_ACCEPTED) {
        error_set(error, "params_rejected", "task '%.*s' has not ended", reference.id_length,
                  reference.id);
        return NULL;
    }
    if (strcmp(reference.rest, status) == 0)
        return task_state_word(result_state(reference.result));
    if (strncmp(reference.rest, output, sizeof output - 1) == 0)
        return find_output(&reference, reference.rest + sizeof output - 1, error);
    error_set(error, "params_rejected", "the packed parameters are damaged");
    return NULL;
}
