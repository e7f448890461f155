/* job_again: a task that the store knows, taken up again: copied out of the store's record, then
 * made into a job of one task that counts as a part of its old one. On the stack of whoever takes
 * it up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/job.h"
#include "plugin/registry.h"
#include "store/stored.h"
#include "support/buffer.h"

struct job_again {
    char job[JOB_ID_BYTES];
    uint64_t key;
    uint32_t number; /* in its job */
    uint32_t line, attempt, charged;
    int64_t timeout_ns;
    int32_t weight, max_weight;
    int8_t priority;
    bool late;            /* its parameters refer to results of other tasks */
    struct buffer texts;  /* id, type, name and file of the job, then keys and values of labels */
    struct buffer params; /* its packed record */
    struct buffer extra;  /* task_extra.h; a store that borrows knows nothing of it */
    uint32_t labels_count;
};

/* Copies what is needed. Within a visit of the store. */
void job_again_note(struct job_again *again, const struct store_task *task);

/* Returns the name of its type. */
const char *job_again_type(const struct job_again *again);

/* Sets *unique to the key that it must have alone, NULL if there is none; false if what the store
 * has of it is damaged. */
bool job_again_unique(const struct job_again *again, const char **unique);

/* Makes the job, sealed and keeping its task, which is ACCEPTED and has the number of the old one.
 * It keeps its retries and its key, but needs nobody. Not for what is damaged. */
struct job *job_again_make(const struct job_again *again, struct chunk_pool *pool,
                           const struct type *type);

/* Frees what was copied. */
void job_again_fini(struct job_again *again);
