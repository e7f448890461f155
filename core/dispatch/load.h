/* load: picks the least loaded of some candidates, for policies that look at load. Embedded in the
 * state of a scheduler: one thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dispatch/scheduler.h"

struct load {
    size_t turn;     /* who comes first among equals */
    uint64_t *tasks; /* by candidate: queued, running, and what this plan has given it */
};

/* Returns a new state for a scheduler; never NULL. */
void *load_create(void);

/* Frees a state. */
void load_destroy(void *state);

/* Plans each task for the candidate with the fewest tasks for each of its workers, among those that
 * have at most so many extra labels (there is one); equals by the time that their calls have kept
 * processors busy, then in turn. */
void load_plan(struct load *load, const struct plan *plan, uint32_t extra_labels_most,
               uint32_t *out);
