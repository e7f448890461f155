/* job_restore: a job of an earlier host made again from what the store has of it: those of its
 * tasks that have not ended, what they need of each other, and what became of the others that
 * they need. Its tasks are numbered anew; their places (job_place) are what they were. */
#pragma once

#include <stdint.h>

#include "accept/chunk.h"
#include "accept/job.h"
#include "plugin/registry.h"
#include "store/store.h"
#include "support/error.h"

struct job_restore_sources {
    struct store *store;
    struct chunk_pool *pool;
    struct registry *registry; /* types that no plugin has now are interned: their tasks park */
    void *context;
    /* Returns whether a host may have died of the task at a place, which is marked then. NULL: of
     * none. */
    bool (*claims)(void *context, uint64_t job, uint32_t number, const struct type *type);
};

/* Makes the job with an id, whose tasks are ACCEPTED and in the store already; it keeps them. A
 * job that has stopped or failed fast does so again. Tasks whose record is damaged are left out
 * and counted in *damaged. NULL with a message if there is no such job or it cannot be made.
 * Blocks while the store reads; no thread knows the job yet. */
struct job *job_restore(const struct job_restore_sources *sources, const char *id,
                        uint32_t *damaged, struct error *error);
