/* meter: how long a call of each type takes, as a running mean. Written by workers, read by whoever
 * sizes a batch or a weight; any thread, no lock: a lost update is harmless. One for the host. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "plugin/registry.h"

enum { METER_JUMP_MOST = 64 };

struct meter {
    _Atomic int64_t mean_ns[REGISTRY_TYPES_MOST]; /* by the type's number; 0: not measured */
};

/* Returns the mean run time of a type, 0 if it was not measured yet. */
static inline int64_t meter_mean_ns(const struct meter *meter, const struct type *type)
{
    return atomic_load_explicit(&meter->mean_ns[type->number], memory_order_relaxed);
}

/* Takes in the run times of `count` calls: each batch moves the mean by a quarter of the way, so
 * that a few batches after a change it is right, and one slow call does not count for long; nor
 * does a batch whose thread had to wait for a processor, since none counts for more than
 * METER_JUMP_MOST times the mean. */
static inline void meter_add(struct meter *meter, const struct type *type, int64_t sum_ns,
                             uint32_t count)
{
    int64_t now_ns = sum_ns / count + 1;
    int64_t mean_ns = meter_mean_ns(meter, type);
    if (mean_ns > 0 && now_ns / METER_JUMP_MOST > mean_ns)
        now_ns = mean_ns * METER_JUMP_MOST;
    mean_ns = mean_ns == 0 ? now_ns : mean_ns + (now_ns - mean_ns) / 4;
    atomic_store_explicit(&meter->mean_ns[type->number], mean_ns > 0 ? mean_ns : 1,
                          memory_order_relaxed);
}
