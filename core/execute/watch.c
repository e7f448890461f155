/* The control loop's look at the running calls. Nothing is armed for a task: each worker publishes
 * when its call has to be over, and the loop sleeps until the nearest of these.
 *
 * Nothing is missed: a worker first publishes look_ns, then reads planned_ns, and wakes the loop if
 * that is later; the loop first publishes planned_ns, then reads every look_ns once more. While
 * calls come and go the loop looks every WATCH_TICK_NS anyway, so that under load nobody ever has
 * to wake it. */
#include <stdlib.h>

#include "accept/job.h"
#include "execute/internal.h"
#include "execute/isolate/isolate.h"

enum { FINDINGS_MOST = 64 };

/* What was found under the executor's lock and is acted on without it; what does not fit is found
 * again at the next look. */
struct findings {
    struct held_up {
        struct worker *worker; /* NULL: only the pool is to be woken */
        struct pool *pool;
        struct task_list rest;
    } held_up[FINDINGS_MOST];
    struct given_up {
        struct group *group;
        struct task *task;
        struct generation *generation;
        struct outcome_tally *tally; /* with what ended before it in its batch */
        int64_t started_ns;
        enum verdict verdict;
    } given_up[FINDINGS_MOST];
    size_t held_up_count, given_up_count;
    struct aside *awaited; /* turns that were given back with them */
    int64_t next_ns;
};

static void look_again(struct findings *findings, int64_t at_ns)
{
    if (at_ns < findings->next_ns)
        findings->next_ns = at_ns;
}

static void ask_to_end(struct worker *worker, uint64_t turn, int64_t now_ns)
{
    if (!call_cancel(&worker->performer.call, turn))
        return;
    worker->asked_turn = turn;
    worker->asked_ns = now_ns;
}

/* The call takes long: the pool must not count on this worker, nor its batch wait for it. */
static void free_the_rest(struct worker *worker, int64_t now_ns, struct findings *findings)
{
    if (findings->held_up_count == FINDINGS_MOST) {
        look_again(findings, now_ns + WATCH_TICK_NS);
        return;
    }
    struct held_up *held_up = &findings->held_up[findings->held_up_count++];
    task_list_init(&held_up->rest);
    held_up->pool = worker->pool;
    held_up->worker = worker;
    worker_take_rest(worker, NULL, NULL, &held_up->rest);
    worker->freed_turn = worker->seen_turn;
    pool_mark_slow(worker->pool, worker);
}

/* Somebody has cancelled the task, or stops the host, before its time was up; or else it has run
 * too long. */
static enum verdict verdict_of(const struct worker *worker)
{
    const struct task *task = worker->current;
    bool cancelled = worker->pool->executor->cancelling || atomic_load(&task->cancelled) ||
                     atomic_load(&task->job->stop) == JOB_CANCELLED;
    bool in_time = worker->asked_ns < atomic_load(&worker->deadline_ns);
    return cancelled && in_time ? VERDICT_CANCELLED : VERDICT_TIMED_OUT;
}

/* The batch is freed before: nobody will look at this call again. Group, task and tally of the
 * worker are the control loop's once the call is given up, for it touches them no more. */
static void give_up(struct worker *worker, uint64_t turn, int64_t now_ns, struct findings *findings)
{
    if (worker->freed_turn != worker->seen_turn)
        free_the_rest(worker, now_ns, findings);
    if (worker->freed_turn != worker->seen_turn || findings->given_up_count == FINDINGS_MOST ||
        !call_give_up(&worker->performer.call, turn))
        return;
    atomic_fetch_add(&worker->pool->executor->stuck, 1);
    atomic_fetch_add(&worker->group->stuck, 1);
    findings->given_up[findings->given_up_count++] = (struct given_up){
        .group = worker->group,
        .task = worker->current,
        .generation = worker->pool->generation,
        .tally = worker->tally,
        .started_ns = atomic_load(&worker->slot->started_ns),
        .verdict = verdict_of(worker),
    };
    worker->tally = NULL;
    if (worker->turn != NULL)
        pool_give_turn(worker->pool, worker->turn, &findings->awaited);
}

static void look_at_call(struct worker *worker, uint64_t turn, int64_t now_ns,
                         struct findings *findings)
{
    int64_t grace_ns = worker->pool->executor->options.limits.grace_ns;
    int64_t deadline_ns = atomic_load(&worker->deadline_ns);
    bool late = deadline_ns <= now_ns || worker->pool->executor->cancelling;
    if ((turn & CALL_CANCELLED) == 0 && late)
        ask_to_end(worker, turn, now_ns);
    else if ((turn & CALL_CANCELLED) == 0)
        look_again(findings, deadline_ns);
    if (worker->asked_turn / CALL_TURN == turn / CALL_TURN) {
        if (now_ns - worker->asked_ns >= grace_ns)
            give_up(worker, turn, now_ns, findings);
        look_again(findings, clock_add_ns(worker->asked_ns, grace_ns));
    }
    if (now_ns - atomic_load(&worker->slot->started_ns) < WATCH_TICK_NS)
        look_again(findings, now_ns + WATCH_TICK_NS);
    else if (worker->freed_turn != worker->seen_turn)
        free_the_rest(worker, now_ns, findings);
}

/* A task that is to be cancelled is in its worker's hand, and its call may not have begun yet. The
 * same turn before and after means that this call is that of the task. */
static void look_at_cancel(struct worker *worker, uint64_t turn, int64_t now_ns,
                           struct findings *findings)
{
    if (atomic_load_explicit(&worker->cancels, memory_order_relaxed) == NULL)
        return;
    MUTEX_GUARD(&worker->lock);
    const struct task *task = worker_task_in_hand(worker);
    bool in_hand = task != NULL && task == worker->cancels;
    bool same = atomic_load(&worker->performer.call.turn) / CALL_TURN == turn / CALL_TURN;
    if (in_hand && !(same && (turn & CALL_BUSY) != 0)) {
        look_again(findings, now_ns + WATCH_TICK_NS);
        return;
    }
    if (in_hand)
        ask_to_end(worker, turn, now_ns);
    worker->cancels = NULL;
}

/* Then it looks after its calls itself. */
static bool is_isolated(struct worker *worker)
{
    MUTEX_GUARD(&worker->lock);
    return worker->is_isolated;
}

static void look_at_worker(struct worker *worker, int64_t now_ns, struct findings *findings)
{
    uint64_t turn = atomic_load(&worker->performer.call.turn);
    if ((turn & CALL_STUCK) != 0 || is_isolated(worker))
        return;
    look_at_cancel(worker, turn, now_ns, findings);
    if (turn / CALL_TURN != worker->seen_turn) {
        worker->seen_turn = turn / CALL_TURN;
        look_again(findings, now_ns + WATCH_TICK_NS);
    }
    int64_t look_ns = atomic_load(&worker->look_ns);
    if (look_ns > now_ns)
        look_again(findings, look_ns);
    if ((turn & CALL_BUSY) != 0)
        look_at_call(worker, turn, now_ns, findings);
    else if (look_ns <= now_ns)
        look_again(findings, now_ns + WATCH_TICK_NS); /* between two calls of a batch */
}

/* A thread that was refused is asked for again; one that is leaving has to be joined. */
static void look_at_pool(struct pool *pool, int64_t now_ns, struct findings *findings)
{
    if (atomic_load(&pool->stopping) && pool_threads(pool) == 0)
        look_again(findings, now_ns + WATCH_TICK_NS);
    if (!pool_is_refused(pool))
        return;
    look_again(findings, now_ns + REFUSED_LOOK_NS);
    if (findings->held_up_count < FINDINGS_MOST) {
        struct held_up *held_up = &findings->held_up[findings->held_up_count++];
        task_list_init(&held_up->rest);
        held_up->worker = NULL;
        held_up->pool = pool;
    }
}

static void look_at_all(struct executor *executor, int64_t now_ns, struct findings *findings)
{
    MUTEX_GUARD(&executor->lock);
    if (executor->cancelling && executor->workers != NULL)
        look_again(findings, now_ns + WATCH_TICK_NS); /* for calls that are about to begin */
    for (struct pool *pool = executor->pools; pool != NULL; pool = pool->next)
        look_at_pool(pool, now_ns, findings);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker)
        look_at_worker(worker, now_ns, findings);
}

/* Whether the worker is in a call that was looked at: then the plan already minds it. */
static bool is_seen(const struct worker *worker)
{
    uint64_t turn = atomic_load(&worker->performer.call.turn);
    return (turn & CALL_BUSY) != 0 && turn / CALL_TURN == worker->seen_turn;
}

/* Publishes the plan, then looks whether somebody has published something nearer meanwhile. */
static int64_t settle_plan(struct executor *executor, int64_t now_ns, int64_t next_ns)
{
    atomic_store(&executor->planned_ns, next_ns);
    MUTEX_GUARD(&executor->lock);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker) {
        int64_t look_ns = atomic_load(&worker->look_ns);
        if (look_ns <= now_ns && !is_seen(worker))
            look_ns = now_ns + WATCH_TICK_NS;
        if (look_ns > now_ns && look_ns < next_ns)
            next_ns = look_ns;
    }
    atomic_store(&executor->planned_ns, next_ns);
    return next_ns;
}

/* The host ends the task; its memory stays until the call really returns. */
static void end_given_up(struct executor *executor, const struct given_up *given_up, int64_t now_ns)
{
    struct attempt attempt = {
        .verdict = given_up->verdict,
        .started_ns = given_up->started_ns,
        .ended_ns = now_ns,
        .reason = "stuck",
        .message = "did not end when it was cancelled (rule R5); its thread is left behind",
        .plugin = given_up->generation->plugin,
        .version = given_up->generation->version,
        .memory_stays = true,
    };
    outcome_end(executor->options.outcome, given_up->task, &attempt, given_up->tally);
    outcome_flush(executor->options.outcome, given_up->tally);
    free(given_up->tally);
    group_done(given_up->group);
    pool_wake(given_up->generation->pool, CLOCK_NEVER_NS);
}

static void act(struct executor *executor, struct findings *findings, int64_t now_ns)
{
    for (size_t i = 0; i < findings->held_up_count; i++) {
        struct held_up *held_up = &findings->held_up[i];
        if (held_up->rest.count > 0)
            worker_return_rest(held_up->worker, &held_up->rest);
        pool_wake(held_up->pool, CLOCK_NEVER_NS);
    }
    for (size_t i = 0; i < findings->given_up_count; i++)
        end_given_up(executor, &findings->given_up[i], now_ns);
    group_turn_free(findings->awaited);
}

int64_t executor_watch(struct executor *executor, int64_t now_ns)
{
    struct findings findings;
    findings.held_up_count = findings.given_up_count = 0;
    findings.next_ns = CLOCK_NEVER_NS;
    findings.awaited = NULL;
    look_at_all(executor, now_ns, &findings);
    act(executor, &findings, now_ns);
    return settle_plan(executor, now_ns, findings.next_ns);
}

void executor_cancel(struct executor *executor)
{
    atomic_store(&executor->cancelling, true);
    MUTEX_GUARD(&executor->lock);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker)
        if (worker->isolate != NULL)
            isolate_poke(worker->isolate);
}

/* Marks the worker if it is at the task (NULL: at any one of the job). */
static bool mark_cancelled(struct worker *worker, const struct job *job, const struct task *task)
{
    MUTEX_GUARD(&worker->lock);
    const struct task *in_hand = worker_task_in_hand(worker);
    if (in_hand == NULL || (task == NULL ? worker->grant.job != job : in_hand != task))
        return false;
    worker->cancels = in_hand;
    if (worker->is_isolated)
        isolate_poke(worker->isolate);
    return true;
}

static uint32_t cancel(struct executor *executor, const struct job *job, const struct task *task)
{
    uint32_t count = 0;
    mutex_lock(&executor->lock);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next_worker)
        count += mark_cancelled(worker, job, task);
    mutex_unlock(&executor->lock);
    if (count > 0)
        executor->options.wake(executor->options.context);
    return count;
}

bool executor_cancel_task(struct executor *executor, const struct task *task)
{
    return cancel(executor, NULL, task) > 0;
}

uint32_t executor_cancel_job(struct executor *executor, const struct job *job)
{
    return cancel(executor, job, NULL);
}
