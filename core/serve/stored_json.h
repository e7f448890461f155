/* stored_json: jobs and tasks as the store knows them, for the API. Stateless; any thread, within a
 * visit of the store. */
#pragma once

#include <jansson.h>

#include "accept/task.h"
#include "store/stored.h"

/* Returns a job with its counts. */
json_t *stored_job_json(const struct store_job *job);

/* Returns a task without parameters, attempts and outputs. now: where an unfinished one is in its
 * life just now; NULL: not known more exactly. */
json_t *stored_task_json(const struct store_task *task, const char *now);

/* Returns the attempts that are over. */
json_t *stored_attempts_json(const struct store_task *task);
