/* job_instances: the tasks that the for_each of one task makes, one for each combination of its
 * items (see job_each.h): what stands beside it is kept, and read again for each. The reader's
 * thread. */
#pragma once

#include <stdbool.h>

#include "accept/job_file/job_draft.h"
#include "accept/job_file/job_keys.h"
#include "accept/job_file/job_reader.h"

/* Reads the for_each of the task in hand, which comes next from the source. False when the source
 * is broken. */
bool job_instances_begin(struct job_reader *reader, struct job_draft *draft);

/* Keeps the value of a key, which comes next from the source, until the items are known that it may
 * name. False when the source is broken. */
bool job_instances_keep(struct job_reader *reader, enum task_key key, struct job_draft *draft);

/* Adds the tasks to the job: one alone for a task whose values were kept although it has no
 * for_each. False as job_draft_finish, or when the job is full. */
bool job_instances_add(struct job_reader *reader, struct job_draft *draft);
