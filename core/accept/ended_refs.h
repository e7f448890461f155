/* ended_refs: what tasks of a job that is made again need of such as have ended before: gathered
 * first, then asked of the store in the order of its places, many at once. Embedded; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job.h"
#include "accept/result.h"
#include "store/store.h"
#include "support/error.h"

struct ended_ref {
    uint32_t place;        /* of the one that has ended */
    uint32_t number;       /* of the task that needs it, or refers to its result */
    struct result *result; /* to be filled; NULL: it is needed */
};

struct ended_refs {
    struct ended_ref *items;
    size_t count, capacity;
    size_t told; /* how many have been, while they are */
    struct job *job;
    /* Called with the number of a task that needs another, and when that has ended. */
    void (*ended)(void *context, uint32_t number, int64_t wall_ns);
    void *context;
};

/* Frees what was gathered; a zeroed one is empty. */
void ended_refs_fini(struct ended_refs *refs);

/* Adds one. */
void ended_refs_add(struct ended_refs *refs, struct ended_ref ref);

/* Tells the dependents of the job how all have ended, and fills the results. One that has not ended
 * is damaged, since the job does not have it: it never will, and counts as failed. Once; false with
 * a message. Blocks while the store reads. */
bool ended_refs_tell(struct ended_refs *refs, struct store *store, struct error *error);
