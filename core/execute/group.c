#include "execute/group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "execute/internal.h"

struct group *group_create(struct executor *executor, const struct group_options *options)
{
    struct group *group = calloc(1, sizeof *group);
    char *name = strdup(options->name);
    if (group == NULL || name == NULL)
        abort();
    group->executor = executor;
    group->name = name;
    group->workers = options->workers;
    group->party = options->party;
    group->mark = options->number < UINT16_MAX ? (uint16_t)(options->number + 1) : 0;
    group->serves_many = options->serves_many;
    group->process = options->process;
    group->queue_capacity = options->queue_capacity;
    mutex_init(&group->lock);
    MUTEX_GUARD(&executor->lock);
    backlog_init(&group->backlog, executor->options.limits.max_age_ns);
    group->next = executor->groups;
    executor->groups = group;
    return group;
}

const char *group_name(const struct group *group)
{
    return group->name;
}

void *group_party(const struct group *group)
{
    return group->party;
}

struct group_load group_load(struct group *group)
{
    MUTEX_GUARD(&group->lock);
    return (struct group_load){.queued = backlog_count(&group->backlog),
                               .running = group->running,
                               .workers = group->workers,
                               .cpu_milli =
                                   atomic_load_explicit(&group->cpu_milli, memory_order_relaxed)};
}

/* How many workers the group can make use of. */
static int64_t workers_of_use(const struct group *group, int64_t mean_ns)
{
    uint32_t cpus = group->executor->cpus;
    return mean_ns < TINY_NS && cpus < group->workers ? cpus : group->workers;
}

/* How long the queue will keep a worker busy, going by its first task; no more than what makes the
 * pool call as many workers as the group may still have. Lock held. */
static int64_t backlog_ns(const struct group *group, const struct task *head)
{
    int64_t mean_ns = meter_mean_ns(group->executor->meter, head->type);
    if (mean_ns == 0 || mean_ns >= BRISK_NS)
        return CLOCK_NEVER_NS;
    int64_t backlog = mean_ns * (int64_t)backlog_count(&group->backlog);
    int64_t free_workers = workers_of_use(group, mean_ns) - group->running;
    int64_t most = free_workers > 0 ? free_workers * BRISK_NS - 1 : 0;
    return backlog < most ? backlog : most;
}

/* In its place: a list points into itself. */
void after_init(struct after *after)
{
    *after = (struct after){.start = NULL};
    task_list_init(&after->unserved);
}

struct task *group_head(const struct group *group, struct aside **from)
{
    *from = NULL;
    if (group->paused)
        return NULL;
    return backlog_head(&group->backlog, group->waiting ? BACKLOG_GRANTED : BACKLOG_ANY, from);
}

/* Finds the first task that somebody serves; those before it leave the backlog. Lock held. */
static const struct offer *offer_of_head(struct group *group, struct task **head,
                                         struct after *after)
{
    struct aside *from;
    while ((*head = group_head(group, &from)) != NULL) {
        const struct offer *offer =
            registry_offer(group->executor->options.registry, (*head)->type);
        if (offer != NULL)
            return offer;
        backlog_pop_next(&group->backlog, from, *head);
        task_move(*head, TASK_READY);
        task_list_push(&after->unserved, *head);
    }
    return NULL;
}

/* Takes a grant that is held for nothing; false if there is none. Lock held. */
static bool take_idle_grant(struct group *group, struct grant *grant)
{
    struct aside *from;
    if (group->has_grant && group_head(group, &from) == NULL) {
        group->has_grant = false;
        *grant = group->grant;
        return true;
    }
    for (struct aside *aside = group->backlog.asides; aside != NULL; aside = aside->next)
        if (aside->has_grant && (group->paused || aside->queue.count == 0)) {
            aside->has_grant = false;
            *grant = aside->grant;
            backlog_tidy(&group->backlog, aside);
            return true;
        }
    return false;
}

void group_relist(struct group *group, struct after *after)
{
    struct task *head;
    if (group->pool != NULL || group->running >= group->workers)
        return;
    const struct offer *offer = offer_of_head(group, &head, after);
    if (offer == NULL) {
        after->has_surplus = take_idle_grant(group, &after->surplus);
        return;
    }
    group->pool = pool_of(group->executor, offer->generation);
    if (pool_push(group->pool, group, backlog_ns(group, head)))
        after->start = group->pool;
}

static bool find_idle_grant(struct group *group, struct grant *grant)
{
    MUTEX_GUARD(&group->lock);
    return take_idle_grant(group, grant);
}

static void give_back(struct group *group, const struct grant *grant)
{
    const struct gate *gate = &group->executor->options.gate;
    gate->give_back(gate->context, group, grant);
}

void group_return_grants(struct group *group)
{
    struct grant grant;
    while (find_idle_grant(group, &grant))
        give_back(group, &grant);
}

void group_act(struct group *group, struct after *after)
{
    const struct executor_options *options = &group->executor->options;
    if (after->start != NULL)
        pool_start_thread(after->start);
    if (after->unserved.count > 0)
        options->unserved(options->context, &after->unserved);
    if (!after->has_surplus)
        return;
    give_back(group, &after->surplus);
    group_return_grants(group);
}

void group_push(struct group *group, struct task_list *tasks)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    if (atomic_load(&group->executor->closed)) {
        mutex_unlock(&group->lock);
        return;
    }
    uint32_t charged = 0;
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;) {
        charged += group_charge(group, task);
        task_move(task, TASK_QUEUED);
        queue_push(&group->backlog.queue, task);
    }
    atomic_fetch_add_explicit(&group->accepted, charged, memory_order_relaxed);
    group_relist(group, &after);
    mutex_unlock(&group->lock);
    group_act(group, &after);
}

/* The group was purged for the last time, or is about to be: nobody would take them out again. */
static void leave_out(struct task_list *tasks, struct task_list *left_out)
{
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;) {
        group_discharge(task);
        task_move(task, TASK_READY);
        task_list_push(left_out, task);
    }
}

void group_put_back(struct group *group, struct task_list *tasks)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    if (atomic_load(&group->executor->closed)) {
        leave_out(tasks, &after.unserved);
    } else {
        if (group->mark != 0)
            atomic_fetch_add_explicit(&group->accepted, (uint32_t)tasks->count,
                                      memory_order_relaxed);
        backlog_put_back(&group->backlog, tasks);
        group_relist(group, &after);
    }
    mutex_unlock(&group->lock);
    group_act(group, &after);
}

bool group_granted(struct group *group, const struct grant *grant)
{
    struct after after;
    struct aside *from;
    after_init(&after);
    mutex_lock(&group->lock);
    assert(group->waiting && !group->has_grant);
    group->waiting = false;
    bool wanted = group->has_grant = group_head(group, &from) != NULL;
    group->grant = *grant;
    group_relist(group, &after);
    mutex_unlock(&group->lock);
    group_act(group, &after);
    return wanted;
}

void group_refused(struct group *group)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    assert(group->waiting);
    group->waiting = false;
    group_relist(group, &after);
    mutex_unlock(&group->lock);
    group_act(group, &after);
}

/* Weight that could not be used at once is better used by others. Lock held. */
static bool may_start_one(const struct group *group)
{
    uint32_t granted = 0;
    for (const struct aside *aside = group->backlog.asides; aside != NULL; aside = aside->next)
        granted += aside->has_grant;
    return !group->paused && group->running + granted < group->workers;
}

bool group_granted_job(struct group *group, const struct grant *grant)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    struct aside *aside = backlog_find(&group->backlog, grant->job);
    assert(aside != NULL && aside->waits);
    bool wanted = aside->queue.count > 0 && may_start_one(group);
    aside->waits = false;
    aside->has_grant = wanted;
    aside->grant = *grant;
    backlog_tidy(&group->backlog, aside);
    group_relist(group, &after);
    mutex_unlock(&group->lock);
    group_act(group, &after);
    return wanted;
}

void group_done(struct group *group)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    assert(group->running > 0);
    group->running--;
    group_relist(group, &after);
    mutex_unlock(&group->lock);
    group_act(group, &after);
}

void group_turn_free(struct aside *awaited)
{
    for (struct aside *aside = awaited, *next; aside != NULL; aside = next) {
        struct group *group = aside->group;
        struct after after;
        next = aside->next_waiting;
        after_init(&after);
        mutex_lock(&group->lock);
        aside->waits = false;
        backlog_tidy(&group->backlog, aside);
        group_relist(group, &after);
        mutex_unlock(&group->lock);
        group_act(group, &after);
    }
}

/* What waits for turns of the pool need not any more. Lock held. */
static void forgo_turns(struct group *group, struct pool *pool)
{
    for (struct aside *aside = group->backlog.asides, *next; aside != NULL; aside = next) {
        next = aside->next;
        if (!aside->waits || aside->pool != pool || !pool_forgo_turn(pool, aside))
            continue;
        aside->waits = false;
        backlog_tidy(&group->backlog, aside);
    }
}

void group_leave_pool(struct group *group, struct pool *pool)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    if (group->pool == pool && pool_remove(pool, group))
        group->pool = NULL;
    forgo_turns(group, pool);
    group_relist(group, &after);
    mutex_unlock(&group->lock);
    group_act(group, &after);
}

void group_set_workers(struct group *group, uint32_t workers)
{
    struct after after;
    after_init(&after);
    assert(workers >= 1 && workers <= GROUP_WORKERS_MOST);
    mutex_lock(&group->lock);
    group->workers = workers;
    group_relist(group, &after);
    mutex_unlock(&group->lock);
    group_act(group, &after);
}

void group_set_max_age(struct group *group, int64_t max_age_ns)
{
    MUTEX_GUARD(&group->lock);
    backlog_set_max_age(&group->backlog, max_age_ns);
}
