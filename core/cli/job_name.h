/* job_name: how people name what is in a daemon: a job by its id, by the beginning of that, or by
 * its name if only one job has it; a task as JOB:ID. Stateless; main thread. */
#pragma once

#include "cli/daemon.h"

enum { JOB_NAME_BEGINNING_LEAST = 6, JOB_NAME_LISTED_MOST = 10 };

/* Returns whether a name is that of a task. */
bool job_name_is_task(const char *name);

/* Returns the id of the job that is meant, malloc'ed; NULL with the reason printed (of several jobs
 * that could be meant, with their ids) and the exit code. Asks the daemon, except for a whole id,
 * which may be that of no job. */
char *job_name_find(struct daemon *daemon, const char *name, int *code);

/* Returns JOB:ID with the job's id in it, malloc'ed, for a name in which JOB is any of its names,
 * or NULL with the reason printed and the exit code. Whether the job has the task is not asked. */
char *job_name_find_task(struct daemon *daemon, const char *name, int *code);

/* Returns that of a task if the name is one's, else that of a job. */
char *job_name_find_any(struct daemon *daemon, const char *name, int *code);
