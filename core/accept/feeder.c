#include "accept/feeder.h"

#include <assert.h>
#include <stdlib.h>

#include "support/thread.h"

struct feeder {
    struct inbound *inbound; /* immutable */
    struct thread thread;
    struct mutex lock;
    struct cond filled;
    struct task_list ready; /* guarded by lock */
    bool stopping;          /* guarded by lock */
};

/* Waits for tasks and takes them all; false when there is nothing more to do. */
static bool feeder_take(struct feeder *feeder, struct task_list *tasks)
{
    MUTEX_GUARD(&feeder->lock);
    while (feeder->ready.count == 0 && !feeder->stopping)
        cond_wait(&feeder->filled, &feeder->lock);
    if (feeder->stopping)
        return false;
    task_list_append(tasks, &feeder->ready);
    return true;
}

static void feeder_put_back(struct feeder *feeder, struct task_list *tasks)
{
    MUTEX_GUARD(&feeder->lock);
    task_list_append(tasks, &feeder->ready);
    task_list_append(&feeder->ready, tasks);
}

static void feeder_run(void *argument)
{
    struct feeder *feeder = argument;
    struct task_list tasks;
    task_list_init(&tasks);
    while (feeder_take(feeder, &tasks)) {
        inbound_queue(feeder->inbound, &tasks);
        if (tasks.count > 0) { /* inbound is closed */
            feeder_put_back(feeder, &tasks);
            return;
        }
    }
}

struct feeder *feeder_start(struct inbound *inbound, struct error *error)
{
    struct feeder *feeder = calloc(1, sizeof *feeder);
    if (feeder == NULL)
        abort();
    feeder->inbound = inbound;
    mutex_init(&feeder->lock);
    cond_init(&feeder->filled);
    task_list_init(&feeder->ready);
    if (thread_start(&feeder->thread, "feeder", feeder_run, feeder, error))
        return feeder;
    cond_fini(&feeder->filled);
    mutex_fini(&feeder->lock);
    free(feeder);
    return NULL;
}

void feeder_release(struct feeder *feeder, struct task_list *tasks)
{
    mutex_lock(&feeder->lock);
    if (!feeder->stopping)
        task_list_append(&feeder->ready, tasks);
    mutex_unlock(&feeder->lock);
    cond_signal(&feeder->filled);
}

void feeder_close(struct feeder *feeder, struct task_list *left)
{
    mutex_lock(&feeder->lock);
    assert(!feeder->stopping);
    feeder->stopping = true;
    mutex_unlock(&feeder->lock);
    cond_signal(&feeder->filled);
    thread_join(&feeder->thread);
    task_list_append(left, &feeder->ready);
}

void feeder_destroy(struct feeder **feeder)
{
    if (*feeder == NULL)
        return;
    assert((*feeder)->stopping && (*feeder)->ready.count == 0);
    cond_fini(&(*feeder)->filled);
    mutex_fini(&(*feeder)->lock);
    free(*feeder);
    *feeder = NULL;
}
