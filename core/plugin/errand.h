/* errand: one call into a plugin that is no task (entry, init, deinit), on a thread of its own
 * and with a time limit, so that a plugin that hangs costs one thread and not the host. Used by
 * the loader thread. */
#pragma once

#include <stdint.h>

#include "support/error.h"

enum errand_end {
    ERRAND_DONE,
    ERRAND_LATE,       /* the thread is left behind, still inside, for ever perhaps */
    ERRAND_NOT_STARTED /* no thread could be had; the error says why */
};

/* Runs run(argument) on a new thread under the name and waits for it up to limit_ns; when it is
 * done in time the thread has been joined. After ERRAND_LATE what argument points to must live
 * on. */
enum errand_end errand_run(const char *name, void (*run)(void *), void *argument, int64_t limit_ns,
                           struct error *error);
