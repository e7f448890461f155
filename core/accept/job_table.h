/* job_table: the jobs of a host that goes on, found by their ids, from the moment when they are
 * admitted until they are over and nobody touches them any more. Created by the host; any thread
 * unless it is said otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "accept/job.h"

struct job_table;

/* Makes an empty table. */
struct job_table *job_table_create(void);

/* Destroys all jobs and frees the table: nobody uses it or them any more. Clears the pointer and
 * accepts NULL. */
void job_table_destroy(struct job_table **table);

/* Takes a job over, to be found by its id or (name not NULL, copied) by another name. One that
 * comes after job_table_stop stops at once. False, and it stays the caller's, if the name is taken.
 * */
bool job_table_add(struct job_table *table, struct job *job, const char *name);

/* The same for many jobs, each by its id, which nobody else has. */
void job_table_add_all(struct job_table *table, struct job *const *jobs, size_t count);

/* Returns the job of an id or name, for job_let_go; NULL if there is none, or it is over. */
struct job *job_table_find(struct job_table *table, const char *id);

/* Finds all jobs with an id: its own, and those of its tasks that are tried again by themselves.
 * Returns how many; each for job_let_go; *jobs is malloc'ed. Takes time in proportion to all tasks
 * that are tried again. */
size_t job_table_find_all(struct job_table *table, const char *id, struct job ***jobs);

/* Says that a job is over: it is not found any more. Whoever ended its last task, once a job. True
 * if it is the only one that waits for job_table_sweep. */
bool job_table_over(struct job_table *table, struct job *job);

/* Returns whether jobs that are over wait for job_table_sweep. */
bool job_table_waits(struct job_table *table);

/* Destroys the jobs that are over and that nobody holds; returns how many are over and held. One
 * thread. */
size_t job_table_sweep(struct job_table *table);

/* Has all jobs stop, also those that come. */
void job_table_stop(struct job_table *table);

/* Returns how many jobs are not over. */
size_t job_table_count(struct job_table *table);
