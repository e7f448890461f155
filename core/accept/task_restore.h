/* task_restore: a task made again from what a store has of it, whether with its job (job_restore.h)
 * or alone (job_again.h). On the thread that fills the job. */
#pragma once

#include "accept/job.h"
#include "accept/task_extra.h"
#include "store/stored.h"

/* Fills in what a task, which was added to its job last, was given and how often it was tried; not
 * when it starts. Room for the results that it refers to is made, see late.h. Copies all. */
void task_restore(struct task *task, const struct store_task *stored,
                  const struct task_extra *extra);

/* Copies bytes to memory that lives as long as the task that was added last. */
void *task_keep(struct job *job, const void *bytes, size_t length, size_t align);
