/* loader: those who hold it are threads left behind in a plugin, which may come back when all else
 * is gone. */
#include "plugin/loader.h"

#include <stdlib.h>

#include "support/clock.h"
#include "support/thread.h"

struct loader {
    struct thread thread;
    struct mutex lock;
    struct cond asked;
    /* guarded by lock */
    struct loader_work *first, **last;
    bool stopping;
    /* the loader thread */
    struct loader_work *timers;
    uint32_t holders;
};

static struct loader_work **find_earliest(struct loader *loader)
{
    struct loader_work **earliest = &loader->timers;
    for (struct loader_work **at = &loader->timers; *at != NULL; at = &(*at)->next) {
        if ((*at)->due_ns < (*earliest)->due_ns)
            earliest = at;
    }
    return earliest;
}

static struct loader_work *take_due(struct loader *loader, int64_t *due_ns)
{
    struct loader_work **place = find_earliest(loader);
    struct loader_work *work = *place;
    *due_ns = work == NULL ? CLOCK_NEVER_NS : work->due_ns;
    if (work == NULL || work->due_ns > clock_now_ns())
        return NULL;
    *place = work->next;
    return work;
}

static struct loader_work *take_posted(struct loader *loader)
{
    struct loader_work *work = loader->first;
    if (work == NULL)
        return NULL;
    loader->first = work->next;
    if (loader->first == NULL)
        loader->last = &loader->first;
    return work;
}

/* Waits for something to do; NULL: there is nothing more. */
static struct loader_work *take(struct loader *loader)
{
    MUTEX_GUARD(&loader->lock);
    for (;;) {
        int64_t due_ns;
        struct loader_work *work = take_posted(loader);
        if (work == NULL && !loader->stopping)
            work = take_due(loader, &due_ns);
        if (work != NULL || loader->stopping)
            return work;
        if (due_ns == CLOCK_NEVER_NS)
            cond_wait(&loader->asked, &loader->lock);
        else
            cond_wait_until(&loader->asked, &loader->lock, due_ns);
    }
}

static void loader_main(void *context)
{
    struct loader *loader = context;
    for (struct loader_work *work; (work = take(loader)) != NULL;)
        work->run(work->context);
}

static void loader_free(struct loader *loader)
{
    cond_fini(&loader->asked);
    mutex_fini(&loader->lock);
    free(loader);
}

struct loader *loader_create(struct error *error)
{
    struct loader *loader = calloc(1, sizeof *loader);
    if (loader == NULL) {
        error_set(error, "no_memory", "out of memory");
        return NULL;
    }
    mutex_init(&loader->lock);
    cond_init(&loader->asked);
    loader->last = &loader->first;
    if (thread_start(&loader->thread, "loader", loader_main, loader, error))
        return loader;
    loader_free(loader);
    return NULL;
}

void loader_destroy(struct loader **pointer)
{
    struct loader *loader = *pointer;
    *pointer = NULL;
    if (loader == NULL)
        return;
    mutex_lock(&loader->lock);
    loader->stopping = true;
    cond_signal(&loader->asked);
    mutex_unlock(&loader->lock);
    thread_join(&loader->thread);
    if (loader->holders == 0)
        loader_free(loader);
}

void loader_post(struct loader *loader, struct loader_work *work)
{
    MUTEX_GUARD(&loader->lock);
    work->next = NULL;
    *loader->last = work;
    loader->last = &work->next;
    cond_signal(&loader->asked);
}

void loader_post_at(struct loader *loader, struct loader_work *work, int64_t due_ns)
{
    work->due_ns = due_ns;
    work->next = loader->timers;
    loader->timers = work;
}

void loader_withdraw(struct loader *loader, struct loader_work *work)
{
    for (struct loader_work **at = &loader->timers; *at != NULL; at = &(*at)->next) {
        if (*at == work) {
            *at = work->next;
            return;
        }
    }
}

void loader_hold(struct loader *loader)
{
    loader->holders++;
}

void loader_release(struct loader *loader)
{
    loader->holders--;
}
