/* condition: whether a task starts, now that all that it needs has ended: its `when` against what
 * became of these. On the stack of whoever releases the task. */
#pragma once

#include <stdbool.h>

#include "accept/task.h"
#include "outcome/outcome.h"

enum { CONDITION_MESSAGE_BYTES = TASK_ID_MOST_BYTES + 80 };

struct condition {
    struct outcome_reason reason; /* why it does not start; points to message */
    char message[CONDITION_MESSAGE_BYTES];
};

/* Returns whether a task (WAITING, released) is to start; if not, the reason is set. */
bool condition_holds(struct condition *condition, const struct task *task);
