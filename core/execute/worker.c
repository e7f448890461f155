#include <assert.h>
#include <stdlib.h>

#include "accept/chunk.h"
#include "accept/job.h"
#include "execute/internal.h"
#include "execute/isolate/isolate.h"

/* Ends what is not to start any more, since its job stops. */
static bool drop_if_stopped(struct worker *worker, struct task *task)
{
    if (!job_stops(task))
        return false;
    outcome_drop_stopped(worker->pool->executor->options.outcome, task, worker->tally);
    return true;
}

/* Makes sure that the control loop looks early enough; see watch.c. */
static void mind_watch(struct worker *worker, int64_t look_ns)
{
    struct executor *executor = worker->pool->executor;
    atomic_store(&worker->look_ns, look_ns);
    if (look_ns < atomic_load(&executor->planned_ns))
        executor->options.wake(executor->options.context);
}

static void begin_call(struct worker *worker, const struct task *task, int64_t started_ns)
{
    int64_t deadline_ns =
        task->timeout_ns > 0 ? clock_add_ns(started_ns, task->timeout_ns) : CLOCK_NEVER_NS;
    /* Released, so that none of it is seen before the end of the call before: see running.c. */
    atomic_store_explicit(&worker->deadline_ns, deadline_ns, memory_order_release);
    flight_write(worker->slot, (uint64_t)job_place(task) << 32 | task->name, started_ns);
    if (worker->batch_count > 1)
        return; /* minded as a whole */
    int64_t long_ns = clock_add_ns(started_ns, WATCH_TICK_NS);
    bool counted_on = !atomic_load_explicit(&worker->slow, memory_order_relaxed);
    mind_watch(worker, counted_on && long_ns < deadline_ns ? long_ns : deadline_ns);
}

/* Starts a task at *now_ns and moves that on; false if the host has taken the task away meanwhile.
 * Who hears of an end may take his time: that is neither the next task's nor the type's. */
static bool run_task(struct worker *worker, struct task *task, int64_t *now_ns, int64_t *ran_ns)
{
    struct attempt attempt = {.started_ns = *now_ns};
    begin_call(worker, task, *now_ns);
    task_move(task, TASK_RUNNING);
    if (!invoke(worker, task, &attempt)) {
        chunk_release(task->chunk, 1);
        atomic_fetch_sub(&worker->pool->executor->stuck, 1);
        atomic_fetch_sub(&worker->group->stuck, 1);
        return false;
    }
    struct outcome *outcome = worker->pool->executor->options.outcome;
    *ran_ns += attempt.ended_ns - attempt.started_ns;
    *now_ns = outcome_end(outcome, task, &attempt, worker->tally) ? clock_read(&worker->clock)
                                                                  : attempt.ended_ns;
    return true;
}

static struct task *next_task(struct worker *worker)
{
    uint32_t index = atomic_fetch_add_explicit(&worker->next, 1, memory_order_acq_rel);
    if (index >= worker->batch_count)
        return NULL;
    worker->current = worker->batch[index];
    group_discharge(worker->current);
    return worker->current;
}

/* Runs the batch from now on; false if the host has given a call of it up, and with it this
 * worker. */
static bool run_batch(struct worker *worker, int64_t now_ns)
{
    struct executor *executor = worker->pool->executor;
    int64_t ran_ns = 0;
    uint32_t ran = 0;
    if (worker->batch_count > 1)
        mind_watch(worker, now_ns + WATCH_TICK_NS);
    for (struct task *task; (task = next_task(worker)) != NULL;) {
        if (drop_if_stopped(worker, task))
            continue;
        if (!run_task(worker, task, &now_ns, &ran_ns))
            return false;
        ran++;
    }
    atomic_store_explicit(&worker->look_ns, CLOCK_NEVER_NS, memory_order_relaxed);
    /* the last reading may have been used again */
    ran_ns += clock_read(&worker->clock) - now_ns;
    if (ran > 0)
        meter_add(executor->meter, worker->type, ran_ns, ran);
    return true;
}

/* Weight that came back before the rest would let others of the job go before it. */
static void await_rest(struct worker *worker)
{
    if (atomic_load_explicit(&worker->next, memory_order_relaxed) < BATCH_TAKEN)
        return;
    MUTEX_GUARD(&worker->lock);
    while (worker->rest_is_away)
        cond_wait(&worker->rest_is_back, &worker->lock);
}

/* Runs the batch and, for as long as one may take, what its group gets meanwhile: of a chain of
 * tasks each link comes when the one before has ended, and would cost a claim of its own. False as
 * run_batch. */
static bool run_batches(struct worker *worker, struct group *group)
{
    int64_t now_ns = clock_read(&worker->clock), until_ns = now_ns + BRISK_NS;
    for (;;) {
        bool goes_on = run_batch(worker, now_ns);
        await_rest(worker);
        if (!goes_on || !group_claim_more(group, worker, until_ns - worker->clock.now_ns))
            return goes_on;
        now_ns = clock_read(&worker->clock);
    }
}

static void give_back(struct worker *worker, struct group *group, const struct grant *grant)
{
    const struct gate *gate = &worker->pool->executor->options.gate;
    gate->give_back(gate->context, group, grant);
}

/* Whoever takes work that leaves more behind sees to it that somebody comes for the rest. */
static void tell_others(struct worker *worker, const struct claim *claim)
{
    if (claim->count > 0 && claim->expected_ns >= BRISK_NS)
        pool_mark_slow(worker->pool, worker);
    pool_wake(worker->pool, 0);
}

static void give_turn(struct worker *worker)
{
    struct aside *awaited = NULL;
    if (worker->turn != NULL)
        pool_give_turn(worker->pool, worker->turn, &awaited);
    worker->turn = NULL;
    group_turn_free(awaited);
}

static bool is_to_isolate(const struct worker *worker, const struct group *group)
{
    const struct executor *executor = worker->pool->executor;
    const struct type *type = worker->type;
    if (group->process.isolation == GROUP_IN_PROCESSES ||
        atomic_load_explicit(&executor->isolating[type->number], memory_order_relaxed) > 0)
        return true;
    return (generation_offer(worker->pool->generation, type)->flags & SLUICE_PROCESS_ONLY) != 0;
}

static struct isolate *isolate_of(struct worker *worker)
{
    if (worker->isolate != NULL)
        return worker->isolate;
    struct isolate *isolate = isolate_create(worker);
    MUTEX_GUARD(&worker->pool->executor->lock);
    return worker->isolate = isolate;
}

/* False if this worker is lost to a call that was given up. */
static bool serve(struct worker *worker, struct group *group)
{
    struct outcome *outcome = worker->pool->executor->options.outcome;
    struct claim claim = group_claim(group, worker);
    if (claim.has_surplus)
        give_back(worker, group, &claim.surplus);
    tell_others(worker, &claim);
    if (claim.count == 0)
        return true;
    bool goes_on = true;
    if (is_to_isolate(worker, group)) {
        isolate_run(isolate_of(worker), group);
        await_rest(worker);
    } else {
        goes_on = run_batches(worker, group);
    }
    flight_clear(worker->slot);
    if (!goes_on) {
        give_back(worker, group, &worker->grant);
        return false;
    }
    outcome_flush(outcome, worker->tally);
    worker->looks_on = claim.expected_ns < TINY_NS * claim.count;
    if (atomic_load_explicit(&worker->slow, memory_order_relaxed))
        pool_mark_brisk(worker->pool, worker); /* it comes for the next itself */
    give_turn(worker);
    give_back(worker, group, &worker->grant);
    if (worker->isolate != NULL)
        isolate_rest(worker->isolate);
    group_done(group); /* after the weight: else the next worker would ask for it on top */
    return true;
}

static void worker_run(void *argument)
{
    struct worker *worker = argument;
    atomic_store_explicit(&worker->cpu_clock, thread_cpu_clock(), memory_order_relaxed);
    last_words_attend(worker);
    for (struct group *group; (group = pool_next(worker->pool, worker)) != NULL;)
        if (!serve(worker, group))
            break;
    const struct generation *generation = worker->pool->generation;
    if (worker->isolate != NULL)
        isolate_leave(worker->isolate);
    performer_leave(&worker->performer, generation->offers, generation->offers_count);
    last_words_attend(NULL);
    pool_leave(worker->pool, worker);
}

static void enlist(struct worker *worker)
{
    struct executor *executor = worker->pool->executor;
    MUTEX_GUARD(&executor->lock);
    worker->next_worker = executor->workers;
    executor->workers = worker;
}

static void strike_off(struct worker *worker)
{
    struct executor *executor = worker->pool->executor;
    MUTEX_GUARD(&executor->lock);
    struct worker **at = &executor->workers;
    while (*at != worker)
        at = &(*at)->next_worker;
    *at = worker->next_worker;
}

static void take_slot(struct worker *worker)
{
    struct flight *flight = worker->pool->executor->flight;
    worker->slot = flight != NULL ? flight_take(flight) : NULL;
    if (worker->slot == NULL)
        worker->slot = &worker->own_slot;
}

static void worker_free(struct worker *worker)
{
    strike_off(worker);
    if (worker->slot != &worker->own_slot)
        flight_give_back(worker->pool->executor->flight, worker->slot);
    isolate_destroy(&worker->isolate);
    performer_fini(&worker->performer);
    cond_fini(&worker->rest_is_back);
    mutex_fini(&worker->lock);
    buffer_fini(&worker->resolved);
    free(worker->tally);
    free(worker);
}

/* Any thread of the plugin, within the call. */
static void keep_log(void *context, const char *text, size_t length)
{
    const struct worker *worker = context;
    outcome_log(worker->pool->executor->options.outcome, worker->current, text, length);
}

struct worker *worker_start(struct pool *pool, struct error *error)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        abort();
    worker->pool = pool;
    worker->tally = malloc(sizeof *worker->tally);
    if (worker->tally == NULL)
        abort();
    outcome_tally_init(worker->tally);
    mutex_init(&worker->lock);
    performer_init(&worker->performer, pool->generation->self, pool->generation->offers_count);
    cond_init(&worker->rest_is_back);
    if (pool->executor->options.logs == EXECUTOR_KEEPS_LOGS) {
        worker->performer.call.keep_log = keep_log;
        worker->performer.call.keep_context = worker;
    }
    take_slot(worker);
    atomic_store(&worker->deadline_ns, CLOCK_NEVER_NS);
    atomic_store(&worker->look_ns, CLOCK_NEVER_NS);
    enlist(worker);
    if (thread_start(&worker->thread, pool->generation->plugin, worker_run, worker, error))
        return worker;
    worker_free(worker);
    return NULL;
}

bool worker_join(struct worker **worker, int64_t deadline_ns)
{
    if (!thread_join_until(&(*worker)->thread, deadline_ns))
        return false;
    worker_free(*worker);
    *worker = NULL;
    return true;
}

/* Of a batch that is run here. Lock held. */
static void take_rest(struct worker *worker, struct task_list *rest)
{
    worker->taken_at = atomic_exchange(&worker->next, BATCH_TAKEN);
    for (uint32_t i = worker->taken_at; i < worker->batch_count; i++)
        task_list_push(rest, worker->batch[i]);
}

void worker_take_rest(struct worker *worker, const struct job *job, const struct group *group,
                      struct task_list *rest)
{
    MUTEX_GUARD(&worker->lock);
    if ((job != NULL && worker->grant.job != job) || (group != NULL && worker->group != group))
        return;
    if (worker->is_isolated)
        isolate_take_rest(worker->isolate, rest);
    else if (atomic_load(&worker->next) < BATCH_TAKEN)
        take_rest(worker, rest);
    worker->rest_is_away |= rest->count > 0;
}

void worker_return_rest(struct worker *worker, struct task_list *rest)
{
    assert(worker->rest_is_away);
    if (rest->count > 0)
        group_put_back(worker->group, rest); /* no other batch is taken before it is back */
    MUTEX_GUARD(&worker->lock);
    worker->rest_is_away = false;
    cond_signal(&worker->rest_is_back);
}

const struct task *worker_task_in_hand(const struct worker *worker)
{
    if (worker->is_isolated)
        return isolate_task_in_hand(worker->isolate);
    uint32_t begun = atomic_load(&worker->next);
    if (begun == BATCH_TAKEN)
        begun = worker->taken_at;
    return begun >= 1 && begun <= worker->batch_count ? worker->batch[begun - 1] : NULL;
}
