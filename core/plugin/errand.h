/* errand: one call into a plugin that is no task (entry, init, deinit), on a thread of its own
 * and with a time limit, so that a plugin that hangs costs one thread and not the host. Used by
 * the loader thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plugin/loader.h"
#include "support/error.h"

enum errand_end {
    ERRAND_DONE,     /* its thread was joined */
    ERRAND_LATE,     /* its thread is left behind, still inside, for ever perhaps */
    ERRAND_RETURNED, /* came back after it was late, and was joined */
};

struct errand_order {
    const char *name;
    void (*run)(void *argument); /* on the errand's thread */
    /* On the loader thread: once with DONE, or with LATE and then perhaps with RETURNED. */
    void (*ended)(void *argument, enum errand_end end);
    void *argument; /* must live until DONE or RETURNED */
    int64_t limit_ns;
};

/* Starts a thread under the name that calls run; false with a message if none could be had. Does
 * not block. Loader thread. */
bool errand_start(struct loader *loader, const struct errand_order *order, struct error *error);
