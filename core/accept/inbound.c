#include "accept/inbound.h"

#include <assert.h>
#include <stdlib.h>

#include "support/thread.h"

struct inbound {
    size_t capacity; /* immutable */
    struct mutex lock;
    struct cond not_empty, not_full;
    struct task_list tasks; /* guarded by lock, as are all below */
    size_t takers, pushers; /* that wait */
    size_t called;          /* takers that were woken and have not come yet */
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

/* Moves as many as there is room for; lock is held. */
static void move_in(struct inbound *inbound, struct task_list *tasks)
{
    if (inbound->tasks.count + tasks->count <= inbound->capacity) {
        task_list_append(&inbound->tasks, tasks);
        return;
    }
    while (inbound->tasks.count < inbound->capacity)
        task_list_push(&inbound->tasks, task_list_pop(tasks));
}

/* Waits for room, moves in what fits, and says whether a taker is to be woken. */
static bool push_some(struct inbound *inbound, struct task_list *tasks)
{
    MUTEX_GUARD(&inbound->lock);
    while (!inbound->closed && inbound->tasks.count >= inbound->capacity) {
        inbound->pushers++;
        cond_wait(&inbound->not_full, &inbound->lock);
        inbound->pushers--;
    }
    if (inbound->closed)
        return false;
    move_in(inbound, tasks);
    bool wake = inbound->takers > inbound->called;
    inbound->called += wake;
    return wake;
}

void inbound_push(struct inbound *inbound, struct task_list *tasks)
{
    while (tasks->count > 0) {
        size_t before = tasks->count;
        if (push_some(inbound, tasks))
            cond_signal(&inbound->not_empty);
        if (tasks->count == before)
            return;
    }
}

bool inbound_take(struct inbound *inbound, struct task_list *tasks)
{
    mutex_lock(&inbound->lock);
    while (inbound->tasks.count == 0 && !inbound->closed) {
        inbound->takers++;
        cond_wait(&inbound->not_empty, &inbound->lock);
        inbound->takers--;
        if (inbound->called > 0)
            inbound->called--;
    }
    task_list_append(tasks, &inbound->tasks);
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
    MUTEX_GUARD(&inbound->lock);
    return inbound->tasks.count;
}
