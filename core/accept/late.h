/* late: the results of other tasks that the parameters of a task refer to by ${tasks...}. They lie
 * in the chunk's memory in front of the task's packed parameters, whose late texts name them by
 * their index (task.late says that there are any). Made by the reader thread; then the task's
 * owner's. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "accept/result.h"
#include "accept/task.h"
#include "support/error.h"

enum { LATE_REFERENCE_MOST_BYTES = 512 };

/* Returns how much memory comes in front of the parameters (aligned to that of a pointer). */
size_t late_bytes(uint32_t count);

/* Begins the list in that memory, which the parameters follow: none is known yet. */
void late_begin(void *memory, uint32_t count);

/* Returns the list of a task that has one; *count is how many. */
struct result **late_results(const struct task *task, uint32_t *count);

/* Gives the shares in them back: a task of a streamed job has ended. In a checked job they are the
 * job's. */
void late_release(const struct task *task);

/* Returns what a reference (INDEX/LENGTH/ID.status or .output.NAME, LENGTH being that of the id)
 * stands for, as long as the task has not ended; NULL with a message. */
const char *late_find(const struct task *task, const char *reference, struct error *error);
