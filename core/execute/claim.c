/* What a worker takes out of a group, and the weight that it needs for that. */
#include "accept/job.h"
#include "execute/internal.h"

/* Tasks that step aside in one go; then the group's lock is let go of for a moment. */
enum { STEP_ASIDE_MOST = 1024 };

/* The head of a group, and where it is. */
struct first {
    struct task *task;
    struct aside *from; /* aside; NULL: in the queue */
    int32_t asked;      /* the weight for which its batch was granted weight */
    struct grant grant;
};

int32_t group_weigh(const struct group *group, const struct task *task)
{
    if (task->weight != TASK_WEIGHT_AUTO)
        return task->weight;
    const struct gate *gate = &group->executor->options.gate;
    return gate->weigh(gate->context, meter_mean_ns(group->executor->meter, task->type));
}

/* Gets the weight that the head needs out of a grant in hand, which is used up or given back. */
static bool use_grant(bool *has_grant, const struct grant *grant, int32_t asked,
                      struct first *first, struct claim *claim)
{
    if (!*has_grant)
        return false;
    *has_grant = false;
    if (grant->job == first->task->job && asked >= first->asked) {
        first->grant = *grant;
        first->asked = asked;
        return true;
    }
    claim->has_surplus = true; /* something heavier, or of another job, has come first */
    claim->surplus = *grant;
    return false;
}

/* The job's cap is reached, as the gate or those aside already say. Lock held. */
static void step_aside(struct group *group, const struct first *first)
{
    struct aside *aside = backlog_step_aside(&group->backlog, first->from, first->task);
    if (!aside->waits)
        aside->asked = first->asked;
    aside->waits = true;
    backlog_tidy(&group->backlog, first->from);
}

static bool job_is_aside(const struct group *group, const struct first *first)
{
    if (group->backlog.asides == NULL || (first->from != NULL && first->from->job != NULL))
        return false;
    const struct aside *aside = backlog_find(&group->backlog, first->task->job);
    return aside != NULL && aside->waits;
}

/* Gets the weight that the head needs: that in hand, or new weight. Lock held. */
static enum gate_answer take_grant(struct group *group, struct first *first, struct claim *claim)
{
    struct aside *from = first->from;
    first->asked = group_weigh(group, first->task);
    if (from != NULL && from->has_grant) {
        if (use_grant(&from->has_grant, &from->grant, from->asked, first, claim))
            return GATE_GRANTED;
    } else if (use_grant(&group->has_grant, &group->grant, group->asked, first, claim)) {
        return GATE_GRANTED;
    }
    if (job_is_aside(group, first))
        return GATE_ASIDE;
    const struct gate *gate = &group->executor->options.gate;
    return gate->ask(gate->context, group, first->task->job, first->asked, &first->grant);
}

/* How many tasks one worker takes: what should be done in most_ns, no more than its share. It
 * shares with as many as the pool would call for what waits: a tail that is split anew at each
 * claim would cost a round of locks for every few tasks. */
static uint32_t batch_limit(const struct group *group, const struct first *first, int64_t most_ns)
{
    size_t queued = backlog_length(&group->backlog, first->from);
    int64_t mean_ns = meter_mean_ns(group->executor->meter, first->task->type);
    if (mean_ns == 0 || mean_ns >= most_ns)
        return 1;
    uint32_t cpus = group->executor->cpus;
    uint32_t shares = group->workers < cpus ? group->workers : cpus;
    int64_t called = mean_ns * (int64_t)queued / BRISK_NS + 1;
    if (called < shares)
        shares = (uint32_t)called;
    size_t share = (queued + shares - 1) / shares;
    int64_t brisk = most_ns / mean_ns;
    if (brisk > BATCH_MOST)
        brisk = BATCH_MOST;
    return (size_t)brisk < share ? (uint32_t)brisk : (uint32_t)share;
}

/* Moves the head, and behind it what may share its grant, into the worker's batch. A weight is
 * compared with what was asked for: the gate may have granted less; the head's own is not, since a
 * measured weight may have grown meanwhile. Locks of group and worker held. */
static void fill_batch(struct group *group, struct worker *worker, const struct first *first,
                       uint32_t limit)
{
    struct backlog *backlog = &group->backlog;
    struct task *head = first->task;
    struct job *job = head->job;
    const struct type *type = head->type;
    uint32_t count = 0;
    do {
        worker->batch[count++] = head;
        head = backlog_pop_next(backlog, first->from, head);
    } while (count < limit && head != NULL && head->job == job && head->type == type &&
             group_weigh(group, head) <= first->asked);
    if (group->mark != 0)
        group_give_back(group, count);
    worker->batch_count = count;
    worker->type = type;
    worker->group = group;
    worker->grant = first->grant;
    flight_begin(worker->slot, job->store_key);
    atomic_store_explicit(&worker->next, 0, memory_order_release);
}

/* Lock of the group held. */
static void claim_batch(struct group *group, struct worker *worker, const struct first *first,
                        struct claim *claim)
{
    int64_t mean_ns = meter_mean_ns(group->executor->meter, first->task->type);
    uint32_t limit = batch_limit(group, first, BRISK_NS);
    mutex_lock(&worker->lock);
    fill_batch(group, worker, first, limit);
    claim->count = worker->batch_count;
    mutex_unlock(&worker->lock);
    claim->expected_ns = mean_ns == 0 ? CLOCK_NEVER_NS : mean_ns * claim->count;
    group->running++;
    if (first->from != NULL)
        backlog_tidy(&group->backlog, first->from);
}

static bool serves(const struct worker *worker, const struct task *head)
{
    return !atomic_load_explicit(&worker->pool->stopping, memory_order_relaxed) &&
           generation_offer(worker->pool->generation, head->type) != NULL;
}

/* What comes of the turn that the head needs. */
enum turn_answer {
    TURN_IS_OURS, /* or it needs none */
    TURN_WAITS,   /* the group stands in its line */
    TURN_ASIDE,   /* the head has stepped aside, and the next one may go */
};

/* What was aside for its job with a grant needs it no more, if nothing is left of it. */
static void leave(struct group *group, struct aside *from, struct claim *claim)
{
    if (from != NULL && from->has_grant && from->queue.count == 0) {
        from->has_grant = false;
        claim->has_surplus = true;
        claim->surplus = from->grant;
    }
    backlog_tidy(&group->backlog, from);
}

/* Another batch has the turn, or had it just now. Lock of the group held. */
static void await_turn(struct group *group, struct pool *pool, struct turn *turn,
                       const struct first *first, struct claim *claim)
{
    struct aside *aside = backlog_await_turn(&group->backlog, first->from, first->task);
    if (!aside->waits) {
        aside->group = group;
        aside->pool = pool;
        aside->waits = pool_await_turn(pool, turn, aside);
    }
    if (aside != first->from)
        leave(group, first->from, claim);
}

static bool type_is_aside(const struct group *group, const struct task *head)
{
    const struct aside *aside = backlog_find_type(&group->backlog, head->type);
    return aside != NULL && aside->waits;
}

/* Takes the turn of a SERIAL type. Lock of the group held. */
static enum turn_answer take_turn(struct group *group, struct worker *worker,
                                  const struct first *first, struct claim *claim)
{
    struct pool *pool = worker->pool;
    const struct offer *offer = generation_offer(pool->generation, first->task->type);
    worker->turn = NULL;
    if ((offer->flags & SLUICE_SERIAL) == 0)
        return TURN_IS_OURS;
    struct turn *turn = &pool->turns[offer->index];
    bool taken = (group->serves_many && type_is_aside(group, first->task)) ||
                 !pool_take_turn(pool, turn, group->serves_many ? NULL : group);
    if (!taken) {
        worker->turn = turn;
        return TURN_IS_OURS;
    }
    if (group->serves_many) {
        await_turn(group, pool, turn, first, claim);
        return TURN_ASIDE;
    }
    group->pool = pool;
    return TURN_WAITS;
}

static void give_turn_back(struct worker *worker, struct claim *claim)
{
    if (worker->turn != NULL) /* the worker looks at the ready list next */
        pool_give_turn(worker->pool, worker->turn, &claim->awaited);
    worker->turn = NULL;
}

/* True: the head has stepped aside, and the next one may go. Lock of the group held. */
static bool claim_with_turn(struct group *group, struct worker *worker, struct first *first,
                            struct claim *claim)
{
    switch (take_grant(group, first, claim)) {
    case GATE_GRANTED:
        claim_batch(group, worker, first, claim);
        return false;
    case GATE_WAITS:
        group->waiting = true;
        group->asked = first->asked;
        group->asked_for = first->task->job;
        break;
    case GATE_ASIDE:
        step_aside(group, first);
        break;
    }
    give_turn_back(worker, claim);
    return !group->waiting && !claim->has_surplus;
}

/* The same. */
static bool claim_head(struct group *group, struct worker *worker, struct first *first,
                       struct claim *claim)
{
    switch (take_turn(group, worker, first, claim)) {
    case TURN_IS_OURS:
        return claim_with_turn(group, worker, first, claim);
    case TURN_WAITS:
        return false;
    case TURN_ASIDE:
        return !claim->has_surplus;
    }
    return false;
}

struct claim group_claim(struct group *group, struct worker *worker)
{
    struct claim claim = {0};
    struct after after;
    struct first first;
    bool more = true;
    after_init(&after);
    mutex_lock(&group->lock);
    group->pool = NULL;
    for (uint32_t i = 0; i < STEP_ASIDE_MOST && more; i++) {
        first.task = group_head(group, &first.from);
        more = first.task != NULL && group->running < group->workers &&
               serves(worker, first.task) && claim_head(group, worker, &first, &claim);
    }
    group_relist(group, &after);
    mutex_unlock(&group->lock);
    group_act(group, &after);
    group_turn_free(claim.awaited);
    return claim;
}

/* Whether the grant of the batch that has ended does for the first task too, no one else waits for
 * this worker, and it will be done in left_ns. Those of a job that stood aside go before what came
 * later, and by a grant of their own. Lock held. */
static bool goes_on(const struct group *group, const struct worker *worker,
                    const struct first *first, int64_t left_ns)
{
    const struct task *head = first->task;
    const struct pool *pool = worker->pool;
    int64_t mean_ns = meter_mean_ns(group->executor->meter, head->type);
    uint32_t ready = atomic_load_explicit(&pool->ready_count, memory_order_relaxed);
    return head->job == worker->grant.job && head->type == worker->type &&
           group_weigh(group, head) <= worker->grant.weight && mean_ns > 0 && mean_ns <= left_ns &&
           ready <= (group->pool == pool ? 1 : 0) && group->running <= group->workers &&
           first->from == NULL && !job_is_aside(group, first) && serves(worker, head);
}

bool group_claim_more(struct group *group, struct worker *worker, int64_t left_ns)
{
    struct after after;
    struct first first = {.asked = worker->grant.weight, .grant = worker->grant};
    if (left_ns <= 0 || worker->turn != NULL) /* as after a long call: no lock for that */
        return false;
    after_init(&after);
    mutex_lock(&group->lock);
    first.task = group_head(group, &first.from);
    bool more = first.task != NULL && goes_on(group, worker, &first, left_ns);
    if (more) {
        uint32_t limit = batch_limit(group, &first, left_ns);
        mutex_lock(&worker->lock);
        fill_batch(group, worker, &first, limit);
        mutex_unlock(&worker->lock);
        group_relist(group, &after);
    }
    mutex_unlock(&group->lock);
    group_act(group, &after);
    return more;
}
