#include "outcome/delayed.h"

#include <assert.h>
#include <stdlib.h>

#include "accept/job.h"
#include "support/heap.h"
#include "support/thread.h"

struct delayed {
    void (*wake)(void *context); /* immutable */
    void *context;               /* immutable */
    struct mutex lock;
    struct heap heap; /* guarded by lock */
    bool closed;      /* guarded by lock */
};

struct delayed *delayed_create(void (*wake)(void *context), void *context)
{
    struct delayed *delayed = calloc(1, sizeof *delayed);
    if (delayed == NULL)
        abort();
    delayed->wake = wake;
    delayed->context = context;
    mutex_init(&delayed->lock);
    heap_init(&delayed->heap);
    return delayed;
}

void delayed_destroy(struct delayed **delayed)
{
    if (*delayed == NULL)
        return;
    assert((*delayed)->heap.count == 0);
    heap_fini(&(*delayed)->heap);
    mutex_fini(&(*delayed)->lock);
    free(*delayed);
    *delayed = NULL;
}

bool delayed_add(struct delayed *delayed, struct task *task, int64_t due_ns)
{
    mutex_lock(&delayed->lock);
    /* Under the lock: a job that stops is purged afterwards, so nothing slips in behind the
     * purge. */
    if (delayed->closed || job_stops(task)) {
        mutex_unlock(&delayed->lock);
        return false;
    }
    task_move(task, TASK_DELAYED);
    task->due_ns = due_ns;
    bool first = due_ns < heap_key(&delayed->heap);
    heap_push(&delayed->heap, due_ns, task);
    mutex_unlock(&delayed->lock);
    if (first)
        delayed->wake(delayed->context);
    return true;
}

int64_t delayed_release(struct delayed *delayed, int64_t now_ns, struct task_list *due)
{
    MUTEX_GUARD(&delayed->lock);
    while (heap_key(&delayed->heap) <= now_ns) {
        struct task *task = heap_pop(&delayed->heap);
        task_move(task, TASK_READY);
        task_list_push(due, task);
    }
    return heap_key(&delayed->heap);
}

struct purge {
    const struct job *job; /* NULL: of all */
    struct task_list *purged;
};

static bool matches(void *context, void *item)
{
    const struct purge *purge = context;
    const struct task *task = item;
    return (purge->job == NULL || task->job == purge->job) && job_stops(task);
}

static void take(void *context, void *item)
{
    const struct purge *purge = context;
    task_list_push(purge->purged, item);
}

void delayed_purge(struct delayed *delayed, const struct job *job, struct task_list *purged)
{
    struct purge purge = {job, purged};
    MUTEX_GUARD(&delayed->lock);
    heap_remove_if(&delayed->heap, matches, take, &purge);
}

void delayed_close(struct delayed *delayed, struct task_list *left)
{
    MUTEX_GUARD(&delayed->lock);
    delayed->closed = true;
    while (delayed->heap.count > 0)
        task_list_push(left, heap_pop(&delayed->heap));
}

size_t delayed_count(struct delayed *delayed)
{
    MUTEX_GUARD(&delayed->lock);
    return delayed->heap.count;
}
