#include "accept/task.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const words[TASK_STATE_COUNT] = {
#define STATE(name, word, owner) [TASK_##name] = word,
#include "accept/task_states.def"
#undef STATE
};

static const bool moves[TASK_STATE_COUNT][TASK_STATE_COUNT] = {
#define MOVE(from, to, function) [TASK_##from][TASK_##to] = true,
#include "accept/task_states.def"
#undef MOVE
};

const char *task_state_word(enum task_state state)
{
    return words[state];
}

static void refuse_move(const struct task *task, enum task_state to)
{
    fprintf(stderr, "sluice: task %s may not go from %s to %s\n", task->id, words[task->state],
            words[to]);
    abort();
}

void task_move(struct task *task, enum task_state to)
{
    if (!moves[task->state][to])
        refuse_move(task, to);
    task->state = (uint8_t)to;
}
