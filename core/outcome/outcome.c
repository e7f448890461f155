#include "outcome/outcome.h"

#include <assert.h>
#include <stdlib.h>

#include "accept/job.h"
#include "accept/room.h"
#include "outcome/claim.h"
#include "outcome/condition.h"
#include "outcome/internal.h"
#include "outcome/retry.h"
#include "support/clock.h"
#include "support/log.h"

struct outcome *outcome_create(const struct outcome_hooks *hooks, struct store *store,
                               struct room *pending, struct figures *figures)
{
    struct outcome *outcome = calloc(1, sizeof *outcome);
    if (outcome == NULL)
        abort();
    outcome->hooks = *hooks;
    outcome->store = store;
    outcome->pending = pending;
    outcome->figures = figures;
    outcome->wall_ns = clock_wall_ns() - clock_now_ns();
    return outcome;
}

void outcome_destroy(struct outcome **outcome)
{
    free(*outcome);
    *outcome = NULL;
}

static bool fail_task(struct outcome *outcome, struct task *task, enum task_state state,
                      const struct attempt *attempt, struct outcome_tally *tally)
{
    struct job *job = task->job;
    int goes_on = JOB_GOES_ON;
    bool listened = ending_end(outcome, task, state, attempt, tally);
    if (job->fail_fast && atomic_compare_exchange_strong(&job->stop, &goes_on, JOB_FAILED_FAST))
        outcome->hooks.job_stops(outcome->hooks.context, job);
    return listened;
}

/* A new name for the next attempt; whether this one counts is known already. */
static void store_try(struct outcome *outcome, struct task *task,
                      const struct store_attempt *attempt, int64_t due_ns)
{
    struct error error;
    struct store_retry retry = {.name = outcome_name(outcome, task),
                                .how = *attempt,
                                .due_wall_ns =
                                    due_ns == 0 ? 0 : clock_add_ns(outcome->wall_ns, due_ns)};
    bool stored = store_retry(outcome->store, &retry, 1, &error);
    assert(stored && retry.answer == STORE_DONE);
    task->name = retry.next_attempt;
}

/* The attempt ends with the host: the next one, which nothing is charged for, is the next host's.
 * True: who listens was told. */
static bool interrupt(struct outcome *outcome, struct task *task, const struct attempt *attempt,
                      struct outcome_tally *tally)
{
    struct store_attempt how;
    outcome_describe(outcome, attempt, &how);
    how.reason = "interrupted";
    how.message = "the host stopped";
    store_try(outcome, task, &how, 0);
    ending_keep(outcome, task, tally);
    if (!attempt->memory_stays)
        tally->in_chunk++;
    return false;
}

static bool try_again(struct outcome *outcome, struct task *task, const struct attempt *attempt,
                      struct outcome_tally *tally)
{
    int64_t due_ns = clock_add_ns(attempt->ended_ns, attempt->try_again_ns);
    if (ending_is_kept(outcome, task))
        return interrupt(outcome, task, attempt, tally);
    if (!job_stops(task)) {
        struct store_attempt how;
        outcome_describe(outcome, attempt, &how);
        store_try(outcome, task, &how, due_ns);
        if (outcome->hooks.delay(outcome->hooks.context, task, due_ns))
            return false;
        if (ending_is_kept(outcome, task)) { /* the host stops just now */
            ending_keep(outcome, task, tally);
            tally->in_chunk++;
            return false;
        }
    }
    return ending_end(outcome, task, TASK_CANCELLED, attempt, tally);
}

/* True: who listens was told. */
static bool tell_retry(const struct outcome *outcome, const struct task *task,
                       const struct attempt *attempt, int64_t wait_ns)
{
    const struct outcome_hooks *hooks = &outcome->hooks;
    if (hooks->ended == NULL || !hooks->wants_all)
        return false;
    hooks->ended(hooks->context,
                 &(struct outcome_record){
                     .task = task, .state = TASK_DELAYED, .attempt = attempt, .retry_ns = wait_ns});
    return true;
}

/* The next attempt is charged. If its job has just stopped, the task ends as one that was waiting
 * for it. */
static bool retry(struct outcome *outcome, struct task *task, const struct attempt *attempt,
                  struct outcome_tally *tally)
{
    struct store_attempt how;
    uint64_t random = (uint64_t)attempt->ended_ns ^ (uint64_t)task->number << 32;
    int64_t wait_ns = retry_wait_ns(task->retry, task->attempt, random);
    int64_t due_ns = clock_add_ns(attempt->ended_ns, wait_ns);
    bool listened = tell_retry(outcome, task, attempt, wait_ns);
    outcome_describe(outcome, attempt, &how);
    how.charged = true;
    store_try(outcome, task, &how, due_ns);
    tally->figures.retries++;
    task->attempt++;
    task->timed_out = attempt->verdict == VERDICT_TIMED_OUT;
    if (!ending_is_kept(outcome, task) &&
        outcome->hooks.delay(outcome->hooks.context, task, due_ns))
        return listened;
    task_move(task, TASK_DELAYED);
    ending_stopped(outcome, task, tally);
    return true;
}

static bool fails_for_now(const struct outcome *outcome, const struct task *task,
                          const struct attempt *attempt)
{
    return retry_follows(task, attempt) && (!job_stops(task) || ending_is_kept(outcome, task));
}

static bool end_by_verdict(struct outcome *outcome, struct task *task,
                           const struct attempt *attempt, struct outcome_tally *tally)
{
    switch (attempt->verdict) {
    case VERDICT_OK:
        return ending_end(outcome, task, TASK_SUCCEEDED, attempt, tally);
    case VERDICT_FAILED:
    case VERDICT_FAILED_FOR_GOOD:
        return fails_for_now(outcome, task, attempt)
                   ? retry(outcome, task, attempt, tally)
                   : fail_task(outcome, task, TASK_FAILED, attempt, tally);
    case VERDICT_TIMED_OUT:
        if (attempt->memory_stays && ending_is_kept(outcome, task)) /* the host gave it no time */
            return interrupt(outcome, task, attempt, tally);
        return fails_for_now(outcome, task, attempt)
                   ? retry(outcome, task, attempt, tally)
                   : fail_task(outcome, task, TASK_TIMED_OUT, attempt, tally);
    case VERDICT_CRASHED:
        return fails_for_now(outcome, task, attempt)
                   ? retry(outcome, task, attempt, tally)
                   : fail_task(outcome, task, TASK_CRASHED, attempt, tally);
    case VERDICT_TRY_AGAIN:
        return try_again(outcome, task, attempt, tally);
    case VERDICT_CANCELLED:
        return ending_is_kept(outcome, task)
                   ? interrupt(outcome, task, attempt, tally)
                   : ending_end(outcome, task, TASK_CANCELLED, attempt, tally);
    }
    return false;
}

/* Decides about a task all of whose needs have ended; what may start at once goes to the list. */
static void release_one(struct outcome *outcome, struct task *task, int64_t now_ns,
                        struct outcome_tally *tally, struct task_list *ready)
{
    struct condition condition;
    struct claim claim;
    if (ending_recall(outcome, task, tally))
        return;
    if (atomic_load(&task->job->stop) >= JOB_CANCELLED || atomic_load(&task->cancelled)) {
        ending_stopped(outcome, task, tally);
    } else if (task_state(task) == TASK_WAITING && !condition_holds(&condition, task)) {
        ending_unstarted(outcome, task, TASK_SKIPPED, &condition.reason, tally);
    } else if (job_stops(task)) {
        ending_stopped(outcome, task, tally);
    } else if (task->unique != NULL && !claim_take(&claim, outcome->store, task)) {
        ending_unstarted(outcome, task, TASK_SKIPPED, &claim.reason, tally);
    } else if (task->due_ns == 0 ||
               !outcome->hooks.delay(outcome->hooks.context, task, task_due_ns(task, now_ns))) {
        task->due_ns = now_ns;
        task_move(task, TASK_READY);
        task_list_push(ready, task);
    }
}

/* Whoever is skipped here may release others in turn: they are the next round. A round is taken up
 * before anything is done with it, since a task may have run and left the room at once. */
static void release_at(struct outcome *outcome, int64_t now_ns, struct outcome_tally *tally)
{
    struct task_list ready, round;
    task_list_init(&ready);
    task_list_init(&round);
    while (tally->released.count > 0) {
        room_take_up(outcome->pending, tally->released.count);
        task_list_append(&round, &tally->released);
        for (struct task *task; (task = task_list_pop(&round)) != NULL;)
            release_one(outcome, task, now_ns, tally, &ready);
    }
    if (ready.count > 0)
        outcome->hooks.release(outcome->hooks.context, &ready);
}

static void release_all(struct outcome *outcome, struct outcome_tally *tally)
{
    if (tally->released.count > 0)
        release_at(outcome, clock_now_ns(), tally);
}

void outcome_release(struct outcome *outcome, struct task_list *tasks, struct outcome_tally *tally)
{
    task_list_append(&tally->released, tasks);
    release_all(outcome, tally);
}

bool outcome_end(struct outcome *outcome, struct task *task, const struct attempt *attempt,
                 struct outcome_tally *tally)
{
    assert(task_state(task) == TASK_RUNNING);
    figures_turn_to(outcome->figures, &tally->figures, task->type);
    figures_add_attempt(&tally->figures, task, attempt->started_ns, attempt->ended_ns);
    if (attempt->process_lost)
        figures_crash(outcome->figures, task->type, attempt->lost_by);
    if (attempt->verdict == VERDICT_CRASHED && outcome->hooks.suspect != NULL)
        outcome->hooks.suspect(outcome->hooks.context, task, attempt);
    bool listened = end_by_verdict(outcome, task, attempt, tally);
    if (tally->released.count > 0)
        release_at(outcome, attempt->ended_ns, tally);
    return listened;
}

void outcome_drop(struct outcome *outcome, struct task *task, enum task_state state,
                  const struct outcome_reason *reason, struct outcome_tally *tally)
{
    assert(state == TASK_CANCELLED || state == TASK_SKIPPED);
    ending_unstarted(outcome, task, state, reason, tally);
    release_all(outcome, tally);
}

void outcome_drop_stopped(struct outcome *outcome, struct task *task, struct outcome_tally *tally)
{
    if (!ending_recall(outcome, task, tally))
        ending_stopped(outcome, task, tally);
    release_all(outcome, tally);
}

void outcome_recall(struct outcome *outcome, struct task *task, struct outcome_tally *tally)
{
    bool ended = ending_recall(outcome, task, tally);
    assert(ended);
    (void)ended;
    release_all(outcome, tally);
}

void outcome_log(struct outcome *outcome, const struct task *task, const char *text, size_t length)
{
    struct error error;
    struct store_written written = {
        .name = outcome_name(outcome, task), .text = text, .length = length};
    if (!store_write_log(outcome->store, &written, 1, &error))
        log_warning("what a task logged could not be kept", LOG_TEXT("task", task->id),
                    LOG_TEXT("reason", error.message));
}
