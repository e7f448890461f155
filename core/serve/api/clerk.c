#include "serve/api/clerk.h"

#include <stdlib.h>

#include "support/thread.h"

struct errand {
    struct errand *next;
    struct http_request *request;
    http_handler *handle;
};

struct clerk {
    void *context; /* immutable */
    struct thread thread;
    struct mutex lock;
    struct cond changed;
    /* guarded by lock */
    struct errand *first, **last;
    bool stops;
};

/* Waits for the next one; NULL: none will come any more. */
static struct errand *next_errand(struct clerk *clerk)
{
    MUTEX_GUARD(&clerk->lock);
    while (clerk->first == NULL && !clerk->stops)
        cond_wait(&clerk->changed, &clerk->lock);
    struct errand *errand = clerk->first;
    if (errand != NULL)
        clerk->first = errand->next;
    if (clerk->first == NULL)
        clerk->last = &clerk->first;
    return errand;
}

static void clerk_run(void *argument)
{
    struct clerk *clerk = argument;

    for (struct errand *errand; (errand = next_errand(clerk)) != NULL; free(errand))
        errand->handle(clerk->context, errand->request);
}

static void clerk_free(struct clerk **clerk)
{
    cond_fini(&(*clerk)->changed);
    mutex_fini(&(*clerk)->lock);
    free(*clerk);
    *clerk = NULL;
}

struct clerk *clerk_start(void *context, struct error *error)
{
    struct clerk *clerk = calloc(1, sizeof(*clerk));

    if (clerk == NULL)
        abort();
    clerk->context = context;
    clerk->last = &clerk->first;
    mutex_init(&clerk->lock);
    cond_init(&clerk->changed);
    if (!thread_start(&clerk->thread, "clerk", clerk_run, clerk, error))
        clerk_free(&clerk);
    return clerk;
}

void clerk_take(struct clerk *clerk, struct http_request *request, http_handler *handle)
{
    struct errand *errand = malloc(sizeof(*errand));

    if (errand == NULL)
        abort();
    *errand = (struct errand){.request = request, .handle = handle};
    mutex_lock(&clerk->lock);
    bool first = clerk->first == NULL;
    *clerk->last = errand;
    clerk->last = &errand->next;
    mutex_unlock(&clerk->lock);
    if (first)
        cond_signal(&clerk->changed);
}

void clerk_stop(struct clerk **clerk)
{
    if (*clerk == NULL)
        return;
    mutex_lock(&(*clerk)->lock);
    (*clerk)->stops = true;
    mutex_unlock(&(*clerk)->lock);
    cond_signal(&(*clerk)->changed);
    thread_join(&(*clerk)->thread);
    clerk_free(clerk);
}
