#include "accept/task.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/clock.h"

static const char *const words[TASK_STATE_COUNT] = {
#define STATE(name, word, owner) [TASK_##name] = word,
#include "accept/task_states.def"
#undef STATE
};

const char *const task_whens[] = {
    [WHEN_SUCCESS] = "success", [WHEN_FAILURE] = "failure", [WHEN_ALWAYS] = "always", NULL};

static const bool moves[TASK_STATE_COUNT][TASK_STATE_COUNT] = {
#define MOVE(from, to, function) [TASK_##from][TASK_##to] = true,
#include "accept/task_states.def"
#undef MOVE
};

const char *task_state_word(enum task_state state)
{
    return words[state];
}

enum task_state task_state_of(enum store_state state)
{
    switch (state) {
    case STORE_SUCCEEDED:
        return TASK_SUCCEEDED;
    case STORE_FAILED:
        return TASK_FAILED;
    case STORE_TIMED_OUT:
        return TASK_TIMED_OUT;
    case STORE_CRASHED:
        return TASK_CRASHED;
    case STORE_CANCELLED:
        return TASK_CANCELLED;
    case STORE_SKIPPED:
        return TASK_SKIPPED;
    case STORE_UNFINISHED:
    case STORE_STATE_COUNT:
        break;
    }
    return TASK_ACCEPTED;
}

void task_describe(const void *handle, struct store_task_given *given)
{
    const struct task *task = handle;
    *given = (struct store_task_given){.id = task->id,
                                       .type = task->type->name,
                                       .params = task->params,
                                       .params_bytes = task->params_bytes,
                                       .line = task->line,
                                       .labels = task->labels,
                                       .timeout_ns = task->timeout_ns,
                                       .weight = task->weight,
                                       .priority = task->priority};
}

static void refuse_move(const struct task *task, enum task_state to)
{
    fprintf(stderr, "sluice: task %s may not go from %s to %s\n", task->id, words[task_state(task)],
            words[to]);
    abort();
}

void task_move(struct task *task, enum task_state to)
{
    if (!moves[task_state(task)][to])
        refuse_move(task, to);
    atomic_store_explicit(&task->state, (uint8_t)to, memory_order_release);
}

int64_t task_due_ns(const struct task *task, int64_t now_ns)
{
    return task->due_ns < 0 ? task->due_ns : clock_add_ns(now_ns, task->due_ns);
}
