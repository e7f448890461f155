/* delayed: tasks that wait for their time, in heaps in memory. Any thread adds; the control loop
 * takes what is due. Created by the host. Delays are spans of the monotonic clock; what has a date
 * waits until the wall clock shows it, however that is set meanwhile. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/task.h"

struct delayed;

/* Creates an empty one; wake(context) is called (any thread, no lock held) when a task is due
 * before all others. */
struct delayed *delayed_create(void (*wake)(void *context), void *context);

/* Frees it (it is empty); clears the pointer; accepts NULL. */
void delayed_destroy(struct delayed **delayed);

/* Takes a task (ACCEPTED, WAITING or RUNNING, becomes DELAYED) until due_ns, or, if that is
 * negative, until the wall clock shows -due_ns; false if its job stops
 * or it is closed: the task stays the caller's, unchanged. Any thread. */
bool delayed_add(struct delayed *delayed, struct task *task, int64_t due_ns);

/* Moves what is due (it becomes READY) to the list and returns when the next one may be
 * (CLOCK_NEVER_NS: none). Control loop. */
int64_t delayed_release(struct delayed *delayed, int64_t now_ns, struct task_list *due);

/* Moves all tasks of a job (NULL: of all jobs) that are not to start any more to the list, still
 * DELAYED. Any thread. */
void delayed_purge(struct delayed *delayed, const struct job *job, struct task_list *purged);

/* Moves all tasks to the list, still DELAYED, and takes no more. Any thread. */
void delayed_close(struct delayed *delayed, struct task_list *left);

/* Returns how many wait. Any thread. */
size_t delayed_count(struct delayed *delayed);
