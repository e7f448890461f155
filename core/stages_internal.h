/* stages_internal: what stages.c and stages_back.c share: what flows backwards, as functions that
 * the stages are given when they are wired together. The context of each is the struct stages.
 * Included by nobody else. */
#pragma once

#include "stages.h"

/* What the outcome stage calls. */
struct outcome_hooks stages_back_hooks(struct stages *stages);

/* Keeps a task until it is due; see delayed_add. Any thread. */
bool stages_back_delay(void *context, struct task *task, int64_t due_ns);

/* There is something for the control loop to do. Any thread. */
void stages_back_wake(void *context);

/* Ends tasks that are not to start, since their job or the host stops. Any thread. */
void stages_back_drop(void *context, struct task_list *tasks);

/* Ends tasks that have ended in an earlier run. Reader thread. */
void stages_back_recall(void *context, struct task_list *tasks);

/* Starts, skips or ends tasks that wait for nothing any more. Any thread. */
void stages_back_release(void *context, struct task_list *tasks);

/* Keeps tasks that left their queue because nobody serves their type. Any thread. */
void stages_back_park(void *context, struct task_list *tasks);
