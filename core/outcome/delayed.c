#include "outcome/delayed.h"

#include <assert.h>
#include <stdlib.h>

#include "accept/job.h"
#include "support/clock.h"
#include "support/heap.h"
#include "support/thread.h"

#define DATE_LOOK_NS                                                                               \
    NS_PER_S /* between two looks at the wall clock, which may be set, or go on asleep */

struct delayed {
    void (*wake)(void *context); /* immutable */
    void *context;               /* immutable */
    struct mutex lock;
    struct heap spans; /* by the monotonic clock; guarded by lock, as are: */
    struct heap dates; /* by the wall clock */
    bool closed;
};

struct delayed *delayed_create(void (*wake)(void *context), void *context)
{
    struct delayed *delayed = calloc(1, sizeof *delayed);
    if (delayed == NULL)
        abort();
    delayed->wake = wake;
    delayed->context = context;
    mutex_init(&delayed->lock);
    heap_init(&delayed->spans);
    heap_init(&delayed->dates);
    return delayed;
}

void delayed_destroy(struct delayed **delayed)
{
    if (*delayed == NULL)
        return;
    assert((*delayed)->spans.count + (*delayed)->dates.count == 0);
    heap_fini(&(*delayed)->spans);
    heap_fini(&(*delayed)->dates);
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
    struct heap *heap = due_ns < 0 ? &delayed->dates : &delayed->spans;
    int64_t key = due_ns < 0 ? -due_ns : due_ns;
    bool first = key < heap_key(heap);
    heap_push(heap, key, task);
    mutex_unlock(&delayed->lock);
    if (first)
        delayed->wake(delayed->context);
    return true;
}

/* A task with a date begins to grow old now. */
static void release(struct heap *heap, int64_t until_ns, int64_t now_ns, struct task_list *due)
{
    while (heap_key(heap) <= until_ns) {
        struct task *task = heap_pop(heap);
        if (task->due_ns < 0)
            task->due_ns = now_ns;
        task_move(task, TASK_READY);
        task_list_push(due, task);
    }
}

/* Returns when the wall clock is to be looked at again. */
static int64_t next_date_ns(const struct heap *dates, int64_t wall_ns, int64_t now_ns)
{
    if (dates->count == 0)
        return CLOCK_NEVER_NS;
    int64_t left_ns = heap_key(dates) - wall_ns;
    return now_ns + (left_ns < DATE_LOOK_NS ? left_ns : DATE_LOOK_NS);
}

int64_t delayed_release(struct delayed *delayed, int64_t now_ns, struct task_list *due)
{
    MUTEX_GUARD(&delayed->lock);
    int64_t wall_ns = delayed->dates.count > 0 ? clock_wall_ns() : 0;
    release(&delayed->spans, now_ns, now_ns, due);
    release(&delayed->dates, wall_ns, now_ns, due);
    int64_t date_ns = next_date_ns(&delayed->dates, wall_ns, now_ns);
    int64_t span_ns = heap_key(&delayed->spans);
    return span_ns < date_ns ? span_ns : date_ns;
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
    heap_remove_if(&delayed->spans, matches, take, &purge);
    heap_remove_if(&delayed->dates, matches, take, &purge);
}

void delayed_close(struct delayed *delayed, struct task_list *left)
{
    MUTEX_GUARD(&delayed->lock);
    delayed->closed = true;
    while (delayed->spans.count > 0)
        task_list_push(left, heap_pop(&delayed->spans));
    while (delayed->dates.count > 0)
        task_list_push(left, heap_pop(&delayed->dates));
}

size_t delayed_count(struct delayed *delayed)
{
    MUTEX_GUARD(&delayed->lock);
    return delayed->spans.count + delayed->dates.count;
}
