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
    mutex_init(&group->lock);
    MUTEX_GUARD(&executor->lock);
    queue_init(&group->queue, executor->options.limits.max_age_ns);
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
    return (struct group_load){.queued = group->queue.count,
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
    int64_t backlog = mean_ns * (int64_t)group->queue.count;
    int64_t free_workers = workers_of_use(group, mean_ns) - group->running;
    int64_t most = free_workers > 0 ? free_workers * BRISK_NS - 1 : 0;
    return backlog < most ? backlog : most;
}

/* What is to be done about a group when its lock is let go of. */
struct after {
    /* needs one more thread; it stays until it has it; NULL: none does */
    struct pool *start;
    struct task_list unserved; /* of types that nobody serves any more */
    bool has_surplus;          /* .surplus is to be given back: nothing is left to start */
    struct grant surplus;
};

/* In its place: a list points into itself. */
static void after_init(struct after *after)
{
    *after = (struct after){.start = NULL};
    task_list_init(&after->unserved);
}

/* Finds the first task that somebody serves; those before it leave the queue. Lock held. */
static const struct offer *offer_of_head(struct group *group, struct after *after)
{
    for (struct task *head; (head = queue_head(&group->queue)) != NULL;) {
        const struct offer *offer = registry_offer(group->executor->options.registry, head->type);
        if (offer != NULL)
            return offer;
        queue_pop(&group->queue, head);
        task_move(head, TASK_READY);
        task_list_push(&after->unserved, head);
    }
    return NULL;
}

/* Offers the group to the workers of its head's generation if it has work for one more. The offer
 * is looked up and used under the group's lock: see executor_drain. Lock held. */
static void relist(struct group *group, struct after *after)
{
    if (group->pool != NULL || group->waiting || group->running >= group->workers)
        return;
    const struct offer *offer = offer_of_head(group, after);
    if (offer == NULL) {
        after->has_surplus = group->has_grant;
        after->surplus = group->grant;
        group->has_grant = false;
        return;
    }
    const struct task *head = queue_head(&group->queue);
    group->pool = pool_of(group->executor, offer->generation);
    pool_push(group->pool, group);
    if (pool_call(group->pool, backlog_ns(group, head)))
        after->start = group->pool;
}

/* No lock held. */
static void act(struct group *group, struct after *after)
{
    const struct executor_options *options = &group->executor->options;
    if (after->start != NULL)
        pool_start_thread(after->start);
    if (after->unserved.count > 0)
        options->unserved(options->context, &after->unserved);
    if (after->has_surplus)
        options->gate.give_back(options->gate.context, group, &after->surplus);
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
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;) {
        task_move(task, TASK_QUEUED);
        queue_push(&group->queue, task);
    }
    relist(group, &after);
    mutex_unlock(&group->lock);
    act(group, &after);
}

void group_put_back(struct group *group, struct task_list *tasks)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    queue_put_back(&group->queue, tasks);
    relist(group, &after);
    mutex_unlock(&group->lock);
    act(group, &after);
}

bool group_granted(struct group *group, const struct grant *grant)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    assert(group->waiting && !group->has_grant);
    group->waiting = false;
    group->has_grant = true;
    group->grant = *grant;
    relist(group, &after);
    mutex_unlock(&group->lock);
    bool wanted = !after.has_surplus;
    after.has_surplus = false; /* the caller has it */
    act(group, &after);
    return wanted;
}

void group_done(struct group *group)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    assert(group->running > 0);
    group->running--;
    relist(group, &after);
    mutex_unlock(&group->lock);
    act(group, &after);
}

void group_leave_pool(struct group *group, struct pool *pool)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    if (group->pool == pool && pool_remove(pool, group))
        group->pool = NULL;
    relist(group, &after);
    mutex_unlock(&group->lock);
    act(group, &after);
}

void group_set_workers(struct group *group, uint32_t workers)
{
    struct after after;
    after_init(&after);
    assert(workers >= 1 && workers <= GROUP_WORKERS_MOST);
    mutex_lock(&group->lock);
    group->workers = workers;
    relist(group, &after);
    mutex_unlock(&group->lock);
    act(group, &after);
}

void group_set_max_age(struct group *group, int64_t max_age_ns)
{
    MUTEX_GUARD(&group->lock);
    group->queue.max_age_ns = max_age_ns;
}

static int32_t weight_of(const struct group *group, const struct task *task)
{
    if (task->weight != TASK_WEIGHT_AUTO)
        return task->weight;
    const struct gate *gate = &group->executor->options.gate;
    return gate->weigh(gate->context, meter_mean_ns(group->executor->meter, task->type));
}

/* Gets the weight that the head needs into *grant: the one in hand, or a new one. Lock held. */
static bool take_grant(struct group *group, const struct task *head, struct claim *claim,
                       struct grant *grant)
{
    int32_t weight = weight_of(group, head);
    if (group->has_grant) {
        group->has_grant = false;
        if (group->grant.job == head->job && group->asked >= weight) {
            *grant = group->grant;
            return true;
        }
        claim->has_surplus = true; /* something heavier, or of another job, has come first */
        claim->surplus = group->grant;
    }
    const struct gate *gate = &group->executor->options.gate;
    group->asked = weight;
    group->waiting = !gate->ask(gate->context, group, head->job, weight, grant);
    return !group->waiting;
}

/* How many tasks one worker takes: what should be done in BRISK_NS, no more than its share. It
 * shares with as many as the pool would call for what waits: a tail that is split anew at each
 * claim would cost a round of locks for every few tasks. */
static uint32_t batch_limit(const struct group *group, const struct task *head)
{
    int64_t mean_ns = meter_mean_ns(group->executor->meter, head->type);
    if (mean_ns == 0 || mean_ns >= BRISK_NS)
        return 1;
    uint32_t cpus = group->executor->cpus;
    uint32_t shares = group->workers < cpus ? group->workers : cpus;
    int64_t called = mean_ns * (int64_t)group->queue.count / BRISK_NS + 1;
    if (called < shares)
        shares = (uint32_t)called;
    size_t share = (group->queue.count + shares - 1) / shares;
    int64_t brisk = BRISK_NS / mean_ns;
    if (brisk > BATCH_MOST)
        brisk = BATCH_MOST;
    return (size_t)brisk < share ? (uint32_t)brisk : (uint32_t)share;
}

/* Moves the head, and behind it what may share its grant, into the worker's batch. A weight is
 * compared with what was asked for: the gate may have granted less; the head's own is not, since a
 * measured weight may have grown meanwhile. Locks of group and worker held. */
static void fill_batch(struct group *group, struct worker *worker, struct task *head)
{
    uint32_t limit = batch_limit(group, head);
    struct job *job = head->job;
    const struct type *type = head->type;
    uint32_t count = 0;
    do {
        worker->batch[count++] = head;
        head = queue_pop_next(&group->queue, head);
    } while (count < limit && head != NULL && head->job == job && head->type == type &&
             weight_of(group, head) <= group->asked);
    worker->batch_count = count;
    worker->group = group;
    atomic_store_explicit(&worker->next, 0, memory_order_release);
}

static bool serves(const struct worker *worker, const struct task *head)
{
    return !atomic_load_explicit(&worker->pool->stopping, memory_order_relaxed) &&
           generation_offer(worker->pool->generation, head->type) != NULL;
}

/* Lock of the group held. */
static void claim_head(struct group *group, struct worker *worker, struct task *head,
                       struct claim *claim)
{
    struct pool *pool = worker->pool;
    const struct offer *offer = generation_offer(pool->generation, head->type);
    struct turn *turn = (offer->flags & SLUICE_SERIAL) != 0 ? &pool->turns[offer->index] : NULL;
    struct grant grant;
    if (turn != NULL && !pool_take_turn(pool, turn, group)) {
        group->pool = pool;
        return;
    }
    if (!take_grant(group, head, claim, &grant)) {
        if (turn != NULL)
            pool_give_turn(pool, turn); /* the worker looks at the ready list next */
        return;
    }
    mutex_lock(&worker->lock);
    worker->grant = grant;
    worker->turn = turn;
    fill_batch(group, worker, head);
    claim->count = worker->batch_count;
    mutex_unlock(&worker->lock);
    int64_t mean_ns = meter_mean_ns(group->executor->meter, head->type);
    claim->expected_ns = mean_ns == 0 ? CLOCK_NEVER_NS : mean_ns * claim->count;
    group->running++;
}

struct claim group_claim(struct group *group, struct worker *worker)
{
    struct claim claim = {0};
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    group->pool = NULL;
    struct task *head = queue_head(&group->queue);
    if (head != NULL && group->running < group->workers && serves(worker, head))
        claim_head(group, worker, head, &claim);
    relist(group, &after);
    mutex_unlock(&group->lock);
    act(group, &after);
    return claim;
}
