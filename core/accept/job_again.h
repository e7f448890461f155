/* job_again: a task that the store knows, taken up again: first noted, to see whether it may be,
 * then made into a job of one task that counts as a part of its old one. On the stack of whoever
 * takes it up. */
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
    uint32_t number;     /* in its job */
    bool late;           /* its parameters refer to results of other tasks */
    bool is_damaged;     /* what the store has of it */
    bool is_unique;      /* it has a key */
    bool job_is_ending;  /* its job was cancelled, and others of its tasks have yet to end */
    struct buffer texts; /* its type, and that key */
};

/* Copies what is needed. Within a visit of the store. */
void job_again_note(struct job_again *again, const struct store_task *task);

/* Returns the name of its type. */
const char *job_again_type(const struct job_again *again);

/* Returns the key that it must have alone; NULL: there is none. */
const char *job_again_unique(const struct job_again *again);

/* Makes the job, sealed and keeping its task, which is ACCEPTED and has the number of the old one.
 * It keeps its retries and its key, but needs nobody. Not for what is late or damaged. Within a
 * visit of the store. */
struct job *job_again_make(const struct store_task *stored, struct chunk_pool *pool,
                           const struct type *type);

/* Frees what was copied. */
void job_again_fini(struct job_again *again);
