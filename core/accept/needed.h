/* needed: what became of the tasks that one task needs, all of which have ended. A value. */
#pragma once

#include <stdbool.h>

#include "accept/task.h"

struct needed {
    bool some_failed; /* failed, timed out or crashed */
    bool some_missed; /* skipped or cancelled: neither succeeded nor failed */
    /* The first one in the file that did not succeed; NULL: all did. */
    const char *id;
    enum task_state state;
};

/* Returns whether a final state counts as a failure of what was needed. */
static inline bool needed_failed(enum task_state state)
{
    return state == TASK_FAILED || state == TASK_TIMED_OUT || state == TASK_CRASHED;
}
