#include "outcome/condition.h"

#include <stdio.h>

#include "accept/job.h"

/* How a task has ended that did not succeed. */
static const char *const how[TASK_STATE_COUNT] = {[TASK_FAILED] = "failed",
                                                  [TASK_TIMED_OUT] = "timed out",
                                                  [TASK_CRASHED] = "crashed",
                                                  [TASK_CANCELLED] = "was cancelled",
                                                  [TASK_SKIPPED] = "was skipped"};

/* Always false. */
static bool name_first(struct condition *condition, const struct needed *needed)
{
    bool failed = needed_failed(needed->state);
    snprintf(condition->message, sizeof condition->message, "not started: it needs '%s', which %s",
             needed->id, how[needed->state]);
    condition->reason = (struct outcome_reason){failed ? "dependency_failed" : "dependency_skipped",
                                                condition->message};
    return false;
}

bool condition_holds(struct condition *condition, const struct task *task)
{
    struct needed needed = job_needed(task);
    switch ((enum task_when)task->when) {
    case WHEN_ALWAYS:
        return true;
    case WHEN_SUCCESS:
        return needed.id == NULL || name_first(condition, &needed);
    case WHEN_FAILURE:
        if (needed.some_failed)
            return true;
        if (needed.some_missed)
            return name_first(condition, &needed);
        condition->reason = (struct outcome_reason){
            "nothing_failed", "not started: it is for failures, and nothing that it needs failed"};
        return false;
    }
    return true;
}
