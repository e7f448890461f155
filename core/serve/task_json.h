/* task_json: a task as a job file would say it, all in it resolved: nothing is inherited or
 * substituted any more, secrets are masked. Stateless; any thread that may read the task. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "accept/task.h"
#include "plugin/param_table.h"

/* Returns the packed parameters of a task as an object; table is that of its type, NULL where
 * nobody knows it: then everything in them is masked. */
json_t *params_json(const void *record, size_t bytes, const struct param_table *table);

/* Returns a new object; table is that of the task's type, against which its parameters were
 * checked. */
json_t *task_json(const struct task *task, const struct param_table *table);
