/* errand: memory of a late errand belongs to its thread, which may come back at any time. */
#include "plugin/errand.h"

#include <stdlib.h>

#include "support/clock.h"
#include "support/thread.h"

struct errand {
    struct thread thread;
    struct errand_order order;
    struct loader *loader;
    struct loader_work back; /* the thread has come back */
    struct loader_work due;  /* the limit has passed */
    bool late;               /* the loader thread */
};

static void errand_main(void *context)
{
    struct errand *errand = context;
    errand->order.run(errand->order.argument);
    loader_post(errand->loader, &errand->back);
}

static void on_back(void *context)
{
    struct errand *errand = context;
    struct errand_order order = errand->order;
    enum errand_end end = errand->late ? ERRAND_RETURNED : ERRAND_DONE;
    loader_withdraw(errand->loader, &errand->due);
    loader_release(errand->loader);
    thread_join(&errand->thread);
    free(errand);
    order.ended(order.argument, end);
}

static void on_due(void *context)
{
    struct errand *errand = context;
    errand->late = true;
    errand->order.ended(errand->order.argument, ERRAND_LATE);
}

bool errand_start(struct loader *loader, const struct errand_order *order, struct error *error)
{
    struct errand *errand = calloc(1, sizeof *errand);
    if (errand == NULL)
        return error_set(error, "no_memory", "out of memory");
    *errand = (struct errand){
        .order = *order,
        .loader = loader,
        .back = {.run = on_back, .context = errand},
        .due = {.run = on_due, .context = errand},
    };
    if (!thread_start(&errand->thread, order->name, errand_main, errand, error)) {
        free(errand);
        return false;
    }
    loader_hold(loader);
    loader_post_at(loader, &errand->due, clock_add_ns(clock_now_ns(), order->limit_ns));
    return true;
}
