/* router_internal: what the files of the router know of each other and nobody else. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatch/router.h"
#include "support/arena.h"
#include "support/thread.h"

/* A group that the configuration names. */
struct place {
    struct lane lane;
    const struct sluice_map *_Atomic labels; /* written by the main thread */
    uint32_t workers;          /* as configured; the group may have got others since. Main thread */
    uint64_t promised_to;      /* whose ticket, guarded by the router's lock */
    _Atomic uint64_t promised; /* in which round last; written under that lock */
};

struct router {
    struct router_options options;   /* immutable */
    struct place *places;            /* as many as groups in the options, in their order */
    _Atomic(struct route *) *routes; /* by the type's number; written under lock */
    _Atomic bool *warned;            /* by the type's number: of a task that no group may run */
    struct group *_Atomic *groups;   /* by the lane's id; those whose id fits in task.charged */
    struct arena label_sets; /* all that were ever in force: somebody may look; main thread */
    struct mutex lock;
    /* guarded by lock */
    uint32_t default_workers;
    struct group **own; /* the groups that were made for a type */
    size_t own_count;
    uint32_t lanes_count;
    struct task_list parked;
};
