/* past: what a durable store has of the tasks of one document of a job file from earlier runs:
 * which have ended, and how, by their ids. A run that goes on does not run these again. Made
 * before the document's job has tasks; then immutable, and read by any thread; gone with the
 * job. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/past_jobs.h"
#include "accept/task.h"
#include "store/store.h"
#include "support/diagnostic.h"
#include "support/error.h"

struct past;

struct past_end {
    enum task_state state;
    int64_t started_wall_ns, ended_wall_ns; /* 0: not known */
    const char *reason, *message;           /* of its last attempt */
    struct buffer outputs;                  /* not to be changed */
};

/* Reads what the store has of the jobs of one document, which outlive it: none is fine too. NULL
 * with a message. Blocks while the store reads. */
struct past *past_load(struct store *store, const struct past_job *jobs, size_t count,
                       struct error *error);

/* Frees it; clears the pointer; accepts NULL. */
void past_destroy(struct past **past);

/* Finds how a task has ended; false if it has not. */
bool past_find(const struct past *past, const struct task *task, struct past_end *end);

/* Says of each task of a job that was read whether it is another than before: new, or of another
 * type, or with other parameters or labels; and of the first one that is not there any more.
 * Nothing is said if nothing is known, or the job was not known whole. */
void past_compare(const struct past *past, const struct job *job, struct diagnostics *diagnostics);

/* Has the store forget what it knew of the document: the job that stands for it now is there in
 * full, and on disk. */
bool past_forget(struct past *past, struct store *store, struct error *error);
