/* result: how one task has ended, and its outputs, for those that refer to it by ${tasks...}. Made
 * by its job when somebody refers to it; whoever may still ask holds a share, and the last one
 * frees it. Filled once, by whoever ends the task; then any thread may read. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/task.h"
#include "support/buffer.h"

struct result {
    _Atomic uint32_t shares;
    _Atomic int state;     /* enum task_state; TASK_ACCEPTED: it has not ended */
    uint32_t number;       /* of the task, in its job */
    bool forgotten;        /* JOB_STREAMED: it may have had outputs that are not kept any more */
    struct buffer outputs; /* name NUL text NUL ...; of the attempt that succeeded */
};

/* Makes one with one share for a task that has not ended, or whose end is not known yet. Running
 * out of memory aborts. */
struct result *result_create(uint32_t number);

/* Takes one more share. */
struct result *result_hold(struct result *result);

/* Gives a share back; clears the pointer; accepts NULL. */
void result_release(struct result **result);

/* Says how the task has ended; outputs (may be NULL) are copied if it succeeded. Once; whoever ends
 * it. */
void result_fill(struct result *result, enum task_state state, const struct buffer *outputs);

/* Returns how it has ended; TASK_ACCEPTED: it has not. */
static inline enum task_state result_state(const struct result *result)
{
    return (enum task_state)atomic_load_explicit(&result->state, memory_order_acquire);
}

/* Finds an output of a task that has ended; NULL if there is none of that name. */
const char *result_output(const struct result *result, const char *name);
