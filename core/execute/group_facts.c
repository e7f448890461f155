/* What outsiders ask about a group: how full it is, what it accepts, why a task waits in it. */
#include "execute/internal.h"

void group_set_queue_capacity(struct group *group, uint32_t capacity)
{
    atomic_store(&group->queue_capacity, capacity);
}

bool group_reserve(struct group *group, uint32_t count)
{
    uint32_t accepted = atomic_load(&group->accepted);
    do {
        uint32_t capacity = atomic_load(&group->queue_capacity);
        if (capacity > 0 && (accepted > capacity || count > capacity - accepted))
            return false;
    } while (!atomic_compare_exchange_weak(&group->accepted, &accepted, accepted + count));
    return true;
}

void group_give_back(struct group *group, uint32_t count)
{
    atomic_fetch_sub_explicit(&group->accepted, count, memory_order_relaxed);
}

uint32_t group_room(const struct group *group)
{
    uint32_t capacity = atomic_load(&group->queue_capacity);
    uint32_t accepted = atomic_load(&group->accepted);
    if (capacity == 0)
        return UINT32_MAX;
    return accepted < capacity ? capacity - accepted : 0;
}

struct group_facts group_facts(struct group *group)
{
    MUTEX_GUARD(&group->lock);
    return (struct group_facts){.name = group->name,
                                .workers = group->workers,
                                .paused = group->paused,
                                .queued = backlog_count(&group->backlog),
                                .running = group->running,
                                .stuck = atomic_load(&group->stuck),
                                .oldest_ns = backlog_oldest_ns(&group->backlog),
                                .cpu_milli = atomic_load(&group->cpu_milli),
                                .accepted = atomic_load(&group->accepted),
                                .queue_capacity = atomic_load(&group->queue_capacity)};
}

static bool turn_is_taken(const struct offer *offer)
{
    struct pool *pool = offer->generation->pool;
    return (offer->flags & SLUICE_SERIAL) != 0 && pool != NULL &&
           pool_turn_is_taken(pool, &pool->turns[offer->index]);
}

/* What the next batch of the group would need, or that of a job that has stepped aside. Lock
 * held. */
static struct gate_reason explain_weight(struct group *group, const struct task *task)
{
    const struct gate *gate = &group->executor->options.gate;
    return gate->explain(gate->context, group, task->job, group_weigh(group, task));
}

/* Lock held. */
static enum group_why explain_queued(struct group *group, const struct task *task,
                                     const struct offer *offer, struct gate_reason *weight)
{
    struct aside *from;
    const struct aside *aside = backlog_find(&group->backlog, task->job);
    const struct task *head = backlog_head(&group->backlog, BACKLOG_ANY, &from);
    if (aside != NULL && aside->waits) {
        *weight = explain_weight(group, task);
        return GROUP_NEEDS_WEIGHT;
    }
    const struct aside *of_type = backlog_find_type(&group->backlog, task->type);
    if (of_type != NULL && of_type->waits)
        return GROUP_NEEDS_TURN;
    if (group->waiting && head != NULL)
        *weight = explain_weight(group, head);
    if (head != task)
        return GROUP_HAS_OTHERS;
    if (group->waiting)
        return GROUP_NEEDS_WEIGHT;
    return turn_is_taken(offer) ? GROUP_NEEDS_TURN : GROUP_HAS_OTHERS;
}

void group_note_start(struct group *group, const struct group_start *start)
{
    MUTEX_GUARD(&group->lock);
    group->start = *start;
}

struct group_reason group_explain(struct group *group, const struct task *task)
{
    MUTEX_GUARD(&group->lock);
    struct group_reason reason = {
        .workers = group->workers, .queued = backlog_count(&group->backlog), .start = group->start};
    const struct offer *offer = registry_offer(group->executor->options.registry, task->type);
    if (offer == NULL)
        reason.why = GROUP_HAS_NO_PLUGIN;
    else if (group->paused)
        reason.why = GROUP_IS_PAUSED;
    else if (group->start.failures > 0)
        reason.why = GROUP_STARTS_FAIL;
    else if (group->running >= group->workers)
        reason.why = GROUP_IS_BUSY;
    else
        reason.why = explain_queued(group, task, offer, &reason.weight);
    return reason;
}
