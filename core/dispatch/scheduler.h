/* scheduler: picks the group among those that may run a task: the replaceable part of dispatch. One
 * file a policy (schedulers.def). Created by the host; each dispatcher thread has a state of its
 * own, so that a plan needs no lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/task.h"

struct candidate {
    uint32_t id;      /* stable: a group's number */
    const char *node; /* which machine it is on; NULL: this one */
    size_t queued;
    uint32_t running;
    uint32_t workers;
    uint32_t cpu_milli;    /* of a processor that its calls kept busy: at the last heartbeat */
    uint32_t extra_labels; /* that it has beyond those that the tasks ask for */
};

/* Tasks of one type with the same labels, and the groups that may run them. */
struct plan {
    const struct task *const *tasks;
    size_t tasks_count;
    const struct candidate *candidates;
    size_t candidates_count; /* at least 2 */
};

struct scheduler {
    const char *name;
    bool uses_heartbeat; /* looks at cpu_milli */
    /* Returns a new state; never NULL. */
    void *(*create)(void);
    /* Frees a state. */
    void (*destroy)(void *state);
    /* Sets out[i] to the index of the candidate that task i goes to. One thread a state; does not
     * block. */
    void (*plan)(void *state, const struct plan *plan, uint32_t *out);
};

#define SCHEDULER(noun, meaning) extern const struct scheduler scheduler_##noun;
#include "dispatch/schedulers.def"
#undef SCHEDULER

/* Returns the policy of a name, or NULL. */
const struct scheduler *scheduler_find(const char *name);
