/* errand: memory of a late errand belongs to its thread, which may come back at any time. */
#include "plugin/errand.h"

#include <stdlib.h>

#include "support/clock.h"
#include "support/thread.h"

struct errand {
    struct thread thread;
    void (*run)(void *);
    void *argument;
    struct mutex lock;
    struct cond ended;
    bool done; /* guarded by lock */
};

static void errand_main(void *context)
{
    struct errand *errand = context;
    errand->run(errand->argument);
    MUTEX_GUARD(&errand->lock);
    errand->done = true;
    cond_signal(&errand->ended);
}

static bool wait_for(struct errand *errand, int64_t deadline_ns)
{
    MUTEX_GUARD(&errand->lock);
    while (!errand->done) {
        if (!cond_wait_until(&errand->ended, &errand->lock, deadline_ns))
            return errand->done;
    }
    return true;
}

static void errand_free(struct errand *errand)
{
    cond_fini(&errand->ended);
    mutex_fini(&errand->lock);
    free(errand);
}

enum errand_end errand_run(const char *name, void (*run)(void *), void *argument, int64_t limit_ns,
                           struct error *error)
{
    struct errand *errand = calloc(1, sizeof *errand);
    if (errand == NULL) {
        error_set(error, "no_memory", "out of memory");
        return ERRAND_NOT_STARTED;
    }
    errand->run = run;
    errand->argument = argument;
    mutex_init(&errand->lock);
    cond_init(&errand->ended);
    if (!thread_start(&errand->thread, name, errand_main, errand, error)) {
        errand_free(errand);
        return ERRAND_NOT_STARTED;
    }
    if (!wait_for(errand, clock_add_ns(clock_now_ns(), limit_ns)))
        return ERRAND_LATE;
    thread_join(&errand->thread);
    errand_free(errand);
    return ERRAND_DONE;
}
