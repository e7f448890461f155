/* isolate: a worker thread's way to run its batch in a worker process: the batch is sent there as
 * a whole, and each task ends here as it ends there. The thread itself keeps the time of what its
 * process runs: it asks a call to end, and kills the process if that does not help. If a process
 * dies, just the task that was at work is charged; those that had not begun go back to their
 * group. Made by a worker for itself; its thread alone calls what is not said to be for others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "execute/executor.h"
#include "execute/internal.h"

/* Creates it, without a process. */
struct isolate *isolate_create(struct worker *worker);

/* Ends the process, if there is one. Worker's thread, before it leaves. */
void isolate_leave(struct isolate *isolate);

/* Frees it, without a process; clears the pointer; accepts NULL. */
void isolate_destroy(struct isolate **isolate);

/* Runs what is left of the worker's batch, and ends each task of it or puts it back. */
void isolate_run(struct isolate *isolate, struct group *group);

/* Waits until a process may be started again, if the last one did not start: longer after each that
 * did not. The batch holds nothing any more but its place in its group. */
void isolate_rest(struct isolate *isolate);

/* Has the thread look at worker.cancels, and whether all calls are to end. Any thread. */
void isolate_poke(struct isolate *isolate);

/* Does what worker_take_rest does while a batch is in the process. Lock of the worker held. */
void isolate_take_rest(struct isolate *isolate, struct task_list *rest);

/* Does what worker_task_in_hand does, in the same way. */
const struct task *isolate_task_in_hand(const struct isolate *isolate);

/* Reads what is at work in the process now; false: nothing is. Lock of the worker held. */
bool isolate_read_running(const struct isolate *isolate, struct running *running);
