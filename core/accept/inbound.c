#include "accept/inbound.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/thread.h"

struct inbound {
    /* immutable once tasks are pushed */
    size_t capacity;
    size_t takers_count; /* 0: pushers never serve */
    struct inbound_serve serve;
    struct mutex lock;
    struct cond not_empty, not_full;
    struct task_list tasks; /* guarded by lock, as are all below */
    _Atomic size_t length;  /* of tasks; may be looked at without it */
    size_t takers, pushers; /* that wait */
    size_t called;          /* takers that were woken and have not come yet */
    bool serving;           /* a pusher does a taker's work */
    bool closed;
};

struct inbound *inbound_create(size_t capacity)
{
    struct inbound *inbound = calloc(1, sizeof *inbound);
    if (inbound == NULL)
        abort();
    inbound->capacity = capacity;
    mutex_init(&inbound->lock);
    cond_init(&inbound->not_empty);
    cond_init(&inbound->not_full);
    task_list_init(&inbound->tasks);
    return inbound;
}

void inbound_destroy(struct inbound **inbound)
{
    if (*inbound == NULL)
        return;
    assert((*inbound)->tasks.count == 0);
    cond_fini(&(*inbound)->not_full);
    cond_fini(&(*inbound)->not_empty);
    mutex_fini(&(*inbound)->lock);
    free(*inbound);
    *inbound = NULL;
}

void inbound_set_serve(struct inbound *inbound, size_t takers, const struct inbound_serve *serve)
{
    inbound->takers_count = takers;
    inbound->serve = *serve;
}

/* Moves as many as the capacity leaves room for to a list. */
static void move_some(const struct inbound *inbound, struct task_list *to, struct task_list *tasks)
{
    if (to->count + tasks->count <= inbound->capacity) {
        task_list_append(to, tasks);
        return;
    }
    while (to->count < inbound->capacity)
        task_list_push(to, task_list_pop(tasks));
}

/* A taker that was woken and has not come yet needs no second call. Lock held. */
static void call_taker(struct inbound *inbound)
{
    if (inbound->takers == inbound->called)
        return;
    inbound->called++;
    cond_signal(&inbound->not_empty);
}

/* Lock held. */
static bool may_serve(const struct inbound *inbound, const struct task_list *tasks)
{
    return inbound->takers_count > 0 && tasks->count >= inbound->serve.least &&
           inbound->takers == inbound->takers_count && inbound->tasks.count == 0 &&
           !inbound->serving;
}

/* Does a taker's work; what others push meanwhile is for the takers. Lock held, given back
 * meanwhile. */
static void serve_some(struct inbound *inbound, struct task_list *tasks)
{
    struct task_list some;
    task_list_init(&some);
    move_some(inbound, &some, tasks);
    inbound->serving = true;
    mutex_unlock(&inbound->lock);
    inbound->serve.serve(inbound->serve.context, &some);
    mutex_lock(&inbound->lock);
    inbound->serving = false;
    if (inbound->closed)
        cond_broadcast(&inbound->not_empty);
    else if (inbound->tasks.count > 0)
        call_taker(inbound);
}

/* Lock held. */
static void note_length(struct inbound *inbound)
{
    atomic_store_explicit(&inbound->length, inbound->tasks.count, memory_order_relaxed);
}

/* Waits for room and moves in what fits, or serves it; false if nothing is taken any more. */
static bool push_some(struct inbound *inbound, struct task_list *tasks, bool serves)
{
    MUTEX_GUARD(&inbound->lock);
    while (!inbound->closed && inbound->tasks.count >= inbound->capacity) {
        inbound->pushers++;
        cond_wait(&inbound->not_full, &inbound->lock);
        inbound->pushers--;
    }
    if (inbound->closed)
        return false;
    if (serves && may_serve(inbound, tasks)) {
        serve_some(inbound, tasks);
        return true;
    }
    move_some(inbound, &inbound->tasks, tasks);
    note_length(inbound);
    if (!inbound->serving)
        call_taker(inbound);
    return true;
}

void inbound_push(struct inbound *inbound, struct task_list *tasks)
{
    while (tasks->count > 0 && push_some(inbound, tasks, true))
        ;
}

void inbound_queue(struct inbound *inbound, struct task_list *tasks)
{
    while (tasks->count > 0 && push_some(inbound, tasks, false))
        ;
}

static bool may_take(const struct inbound *inbound)
{
    return !inbound->serving && (inbound->tasks.count > 0 || inbound->closed);
}

bool inbound_take(struct inbound *inbound, struct task_list *tasks)
{
    mutex_lock(&inbound->lock);
    while (!may_take(inbound)) {
        inbound->takers++;
        cond_wait(&inbound->not_empty, &inbound->lock);
        inbound->takers--;
        if (inbound->called > 0)
            inbound->called--;
    }
    task_list_append(tasks, &inbound->tasks);
    note_length(inbound);
    size_t wake = inbound->pushers;
    mutex_unlock(&inbound->lock);
    if (wake > 0)
        cond_broadcast(&inbound->not_full);
    return tasks->count > 0;
}

void inbound_close(struct inbound *inbound)
{
    mutex_lock(&inbound->lock);
    inbound->closed = true;
    mutex_unlock(&inbound->lock);
    cond_broadcast(&inbound->not_empty);
    cond_broadcast(&inbound->not_full);
}

size_t inbound_length(struct inbound *inbound)
{
    return atomic_load_explicit(&inbound->length, memory_order_relaxed);
}

size_t inbound_capacity(const struct inbound *inbound)
{
    return inbound->capacity;
}
