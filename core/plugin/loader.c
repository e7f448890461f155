/* loader: a request lives on the stack of the thread that waits for it. */
#include "plugin/loader.h"

#include <stdlib.h>

#include "support/thread.h"

struct request {
    void (*work)(void *);
    void *context;
    struct request *next;
    bool done;
};

struct loader {
    struct thread thread;
    struct mutex lock;
    struct cond asked; /* the loader waits */
    struct cond ended; /* those who ask wait */
    /* guarded by lock */
    struct request *first, **last;
    bool stopping;
};

static struct request *take_request(struct loader *loader)
{
    MUTEX_GUARD(&loader->lock);
    while (loader->first == NULL && !loader->stopping)
        cond_wait(&loader->asked, &loader->lock);
    struct request *request = loader->first;
    if (request == NULL)
        return NULL;
    loader->first = request->next;
    if (loader->first == NULL)
        loader->last = &loader->first;
    return request;
}

static void end_request(struct loader *loader, struct request *request)
{
    MUTEX_GUARD(&loader->lock);
    request->done = true;
    cond_broadcast(&loader->ended);
}

static void loader_main(void *context)
{
    struct loader *loader = context;
    for (;;) {
        struct request *request = take_request(loader);
        if (request == NULL)
            return;
        request->work(request->context);
        end_request(loader, request);
    }
}

static void loader_free(struct loader *loader)
{
    cond_fini(&loader->ended);
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
    cond_init(&loader->ended);
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
    loader_free(loader);
}

void loader_run(struct loader *loader, void (*work)(void *), void *context)
{
    struct request request = {.work = work, .context = context};
    MUTEX_GUARD(&loader->lock);
    *loader->last = &request;
    loader->last = &request.next;
    cond_signal(&loader->asked);
    while (!request.done)
        cond_wait(&loader->ended, &loader->lock);
}
