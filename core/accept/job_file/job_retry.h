/* job_retry: the retry map of a task or of defaults while it is read, and what a task gets of them
 * and of its type, key by key. Embedded in task_fields; the reader's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/job_file/yaml_node.h"
#include "accept/task.h"

struct job_reader;
struct task_fields;

struct job_retry {
    uint32_t given; /* bit of each enum retry_key that stands there */
    struct sluice_retry policy;
};

/* By enum sluice_backoff; ends in NULL. */
extern const char *const job_retry_backoffs[];

/* Reads the map that a node begins; what is wrong is reported. False when the source is broken. */
bool job_retry_read(struct job_reader *reader, const struct yaml_node *node,
                    struct job_retry *retry);

/* Puts together what holds for the task that was added last: each key from its own fields, else
 * from defaults, else from its type, which may say nothing. In the memory of the task's chunk; NULL
 * if one attempt is all. */
const struct sluice_retry *job_retry_keep(struct job_reader *reader,
                                          const struct task_fields *fields,
                                          const struct sluice_retry *of_type);
