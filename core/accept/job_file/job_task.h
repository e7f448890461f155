/* job_task: one item of `tasks`, or defaults: reads its keys and, when all is right, adds the task
 * to the job. The reader's thread. */
#pragma once

#include <stdbool.h>

#include "accept/job_file/job_draft.h"
#include "accept/job_file/job_reader.h"
#include "accept/job_file/yaml_node.h"

/* Reads the map of defaults that a node begins into reader->defaults. False when the source is
 * broken. */
bool job_defaults_read(struct job_reader *reader, const struct yaml_node *map);

/* Reads the task that a node begins, the position-th from 1, and adds it to the job; one with an
 * error is reported and not handed on. False when the source is broken or the job is full. */
bool job_task_read(struct job_reader *reader, const struct yaml_node *map, uint32_t position);

/* Reads the value of a key, which comes next from the source, into the draft; a list or map that
 * ought not to be one is skipped. False when the source is broken. */
bool job_task_value(struct job_reader *reader, enum task_key key, struct job_draft *draft);
