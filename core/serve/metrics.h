/* metrics: what a scrape says. The caller gathers what the rooms know at that moment; here it
 * becomes text. Stops nobody. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "accept/figures.h"
#include "plugin/registry.h"
#include "support/buffer.h"

/* A group as it is just now. */
struct metrics_group {
    const char *name;
    const char *type; /* what it serves: a type, or a glob of types */
    uint64_t queued, busy, stuck;
    int64_t oldest_waiting_ns; /* 0: nobody waits */
    bool waits_for_weight;
};

/* One series of a metric with one label. */
struct metrics_count {
    const char *label; /* its value */
    uint64_t count;
};

/* No label value occurs twice in a list. */
struct metrics_counts {
    const struct metrics_count *items;
    size_t count;
};

/* Everything is borrowed for the call. */
struct metrics_sources {
    const char *version;
    const char *policy;                   /* of the scheduler */
    struct figures *figures;              /* what tasks have come to, by type */
    struct histogram_total *store_commit; /* NULL: the store has nothing to commit */
    const struct metrics_group *groups;
    size_t groups_count;
    struct metrics_counts rejected;   /* submissions, by the code of their answer */
    struct metrics_counts dead;       /* dead letters, by type */
    struct registry_reloaded reloads; /* of all reloads, summed up */
    uint64_t admission_in_use, admission_capacity;
    uint64_t inbound_length;
    uint64_t inbound_delayed; /* submissions that waited for room in the store */
    uint64_t delayed;
    /* As registry_visit_plugins with registry as its first argument. */
    void *registry;
    void (*visit_plugins)(void *registry,
                          void (*visit)(void *context, const struct registry_plugin *plugin),
                          void *context);
};

/* Adds all metrics in the text format of Prometheus; the buffer holds nothing else. Types of which
 * no task was accepted have no series. Blocks no longer than visit_plugins. */
void metrics_write(struct buffer *out, const struct metrics_sources *sources);
