/* offer: a task type, and what one generation of a plugin offers under its name. Made by the
 * registry and by generations; immutable, read by any thread as long as registry.h allows it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plugin/param_table.h"
#include "sluice/plugin.h"

struct generation;

enum { TYPE_NAME_MOST_BYTES = 64 };

/* A type's name, interned: made when the name is first seen in a plugin, lives until the
 * registry ends. Tasks point to it; which code serves it is asked anew each time. */
struct type {
    const char *name;
    uint32_t number; /* dense from 0, for tables by type */
};

/* One type as one generation offers it. Immutable; lives as long as its generation. */
struct offer {
    const struct type *type;
    struct generation *generation;
    uint32_t index; /* in its generation */
    uint32_t flags; /* SLUICE_SERIAL ... */
    const char *help;
    int64_t timeout_ns; /* 0: the host's default */
    int32_t weight;     /* at least 1, or SLUICE_WEIGHT_AUTO */
    struct sluice_retry retry;
    struct param_table params;
    enum sluice_status (*execute)(const struct sluice_call *call, const void *params);
    bool (*worker_init)(void *self, void **worker, struct sluice_error *error);
    void (*worker_exit)(void *self, void *worker);
};
