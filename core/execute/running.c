/* What the workers are at, for those who only look. A worker writes down which call it begins
 * between the end of the last one and the beginning of this one, which both change the turn: who
 * reads all that between two looks at the same turn, with a call in progress, has read what belongs
 * to that call. */
#include <stdlib.h>

#include "execute/internal.h"
#include "execute/isolate/isolate.h"
#include "support/memory.h"

struct found {
    struct running *list;
    size_t count, capacity;
};

static void read_slot(struct worker *worker, struct running *running)
{
    const struct flight_slot *slot = worker->slot;
    uint64_t at = atomic_load_explicit(&slot->at, memory_order_acquire);
    running->number = (uint32_t)(at >> 32);
    running->attempt = (uint32_t)at;
    running->started_ns = atomic_load_explicit(&slot->started_ns, memory_order_acquire);
    running->progress_done =
        atomic_load_explicit(&worker->performer.call.progress->done, memory_order_acquire);
    running->progress_total =
        atomic_load_explicit(&worker->performer.call.progress->total, memory_order_acquire);
}

/* False: there is no call in progress, or another one than at first. */
static bool read_thread(struct worker *worker, struct running *running)
{
    uint64_t turn = atomic_load(&worker->performer.call.turn);
    if ((turn & CALL_BUSY) == 0)
        return false;
    read_slot(worker, running);
    running->job_key = atomic_load_explicit(&worker->slot->job, memory_order_relaxed);
    running->stuck = (turn & CALL_STUCK) != 0;
    uint64_t now = atomic_load(&worker->performer.call.turn);
    return (now & CALL_BUSY) != 0 && now / CALL_TURN == turn / CALL_TURN;
}

bool running_read(struct worker *worker, struct running *running)
{
    MUTEX_GUARD(&worker->lock); /* so that the batch stays the same */
    *running = (struct running){.stuck = false};
    if (worker->is_isolated ? !isolate_read_running(worker->isolate, running)
                            : !read_thread(worker, running))
        return false;
    running->group = worker->group->name;
    running->weight = worker->grant.weight;
    return true;
}

static void read_workers(struct executor *executor, struct found *found)
{
    MUTEX_GUARD(&executor->lock);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker) {
        if (found->count == found->capacity) {
            found->capacity += BATCH_MOST;
            found->list = memory_grow(found->list, found->capacity, sizeof *found->list);
        }
        found->count += running_read(worker, &found->list[found->count]);
    }
}

void executor_visit_running(struct executor *executor,
                            void (*visit)(void *context, const struct running *running),
                            void *context)
{
    struct found found = {0};
    read_workers(executor, &found);
    for (size_t i = 0; i < found.count; i++)
        visit(context, &found.list[i]);
    free(found.list);
}
