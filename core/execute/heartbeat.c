/* Once a heartbeat the control loop reads how much processor time each worker's thread has used,
 * and counts it for the group that the worker serves just then: one that went from group to group
 * since the last heartbeat counts for the wrong one now and then, which evens out. */
#include "execute/internal.h"

enum { MILLI = 1000 };

/* Counts what the thread has used since the last heartbeat. The worker that has just been started
 * has no clock yet, that is: the one with the number 0, which is the wall clock. */
static void count_worker(struct worker *worker)
{
    int64_t used_ns, before_ns = worker->cpu_ns;
    clockid_t clock = atomic_load_explicit(&worker->cpu_clock, memory_order_relaxed);
    if (clock == 0 || !thread_cpu_ns(clock, &used_ns))
        return;
    worker->cpu_ns = used_ns;
    MUTEX_GUARD(&worker->lock);
    if (worker->group != NULL)
        worker->group->beat_cpu_ns += used_ns - before_ns;
}

static void count_workers(struct executor *executor)
{
    MUTEX_GUARD(&executor->lock);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker)
        count_worker(worker);
}

static void publish(struct group *group, int64_t elapsed_ns)
{
    uint32_t milli = (uint32_t)(group->beat_cpu_ns * MILLI / elapsed_ns);
    atomic_store_explicit(&group->cpu_milli, milli, memory_order_relaxed);
    group->beat_cpu_ns = 0;
}

int64_t executor_heartbeat(struct executor *executor, int64_t now_ns)
{
    int64_t every_ns = executor->options.limits.heartbeat_ns;
    if (every_ns == 0)
        return CLOCK_NEVER_NS;
    int64_t elapsed_ns = now_ns - executor->beat_ns;
    if (elapsed_ns < every_ns)
        return clock_add_ns(executor->beat_ns, every_ns);
    count_workers(executor);
    for (struct group *group = executor_groups(executor); group != NULL; group = group->next)
        publish(group, elapsed_ns);
    executor->beat_ns = now_ns;
    return clock_add_ns(now_ns, every_ns);
}
