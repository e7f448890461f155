#include "outcome/outcome.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/chunk.h"
#include "accept/job.h"
#include "accept/late.h"
#include "accept/room.h"
#include "outcome/claim.h"
#include "outcome/condition.h"
#include "outcome/last_attempt.h"
#include "outcome/retry.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/log.h"

struct outcome {
    struct outcome_hooks hooks;
    struct store *store;
    struct room *pending;
    struct figures *figures;
    int64_t wall_ns; /* the wall clock when the monotonic one was 0 */
};

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

static enum store_state stored_state(enum task_state state)
{
    switch (state) {
    case TASK_SUCCEEDED:
        return STORE_SUCCEEDED;
    case TASK_FAILED:
        return STORE_FAILED;
    case TASK_TIMED_OUT:
        return STORE_TIMED_OUT;
    case TASK_CRASHED:
        return STORE_CRASHED;
    case TASK_CANCELLED:
        return STORE_CANCELLED;
    case TASK_SKIPPED:
        return STORE_SKIPPED;
    case TASK_ACCEPTED:
    case TASK_WAITING:
    case TASK_DELAYED:
    case TASK_READY:
    case TASK_PARKED:
    case TASK_QUEUED:
    case TASK_RUNNING:
    case TASK_STATE_COUNT:
        break;
    }
    assert(false && "a final state");
    return STORE_CRASHED;
}

static struct store_name attempt_name(const struct outcome *outcome, const struct task *task)
{
    return (struct store_name){.job = task->job->store_key,
                               .epoch = store_epoch(outcome->store),
                               .number = job_place(task),
                               .attempt = task->name};
}

/* Field by field: a struct that is returned and copied is read in larger pieces than it was just
 * written, for which the processor waits. */
static void describe(const struct outcome *outcome, const struct attempt *attempt,
                     struct store_attempt *how)
{
    how->attempt = 0;
    how->charged = false;
    how->started_wall_ns = outcome->wall_ns + attempt->started_ns;
    how->ended_wall_ns = outcome->wall_ns + attempt->ended_ns;
    how->reason = attempt->reason;
    how->message = attempt->message;
}

/* Brings the ends into the store, before the tasks' memory goes. */
static void store_ends(struct outcome *outcome, struct outcome_tally *tally)
{
    struct error error;
    if (tally->ends_count == 0)
        return;
    if (!store_end(outcome->store, tally->ends, tally->ends_count, &error)) {
        log_error("the store failed", LOG_TEXT("reason", error.message));
        abort(); /* the memory store, the only one so far, fails when memory is out */
    }
    for (uint32_t i = 0; i < tally->ends_count; i++)
        assert(tally->ends[i].answer == STORE_DONE);
    tally->ends_count = 0;
}

/* Ends without a text are gathered; texts live only as long as this call. */
static void add_end(struct outcome *outcome, const struct task *task, const struct attempt *attempt,
                    struct outcome_tally *tally)
{
    bool has_texts = attempt->reason[0] != '\0' || attempt->outputs != NULL;
    struct store_end *end = &tally->ends[tally->ends_count++];
    end->name = attempt_name(outcome, task);
    end->state = stored_state(task_state(task));
    describe(outcome, attempt, &end->how);
    end->outputs = attempt->outputs != NULL ? attempt->outputs->bytes : NULL;
    end->outputs_bytes = attempt->outputs != NULL ? attempt->outputs->length : 0;
    if (has_texts || tally->ends_count == OUTCOME_ENDS_MOST)
        store_ends(outcome, tally);
}

static void flush_chunk(struct outcome *outcome, struct outcome_tally *tally)
{
    store_ends(outcome, tally);
    if (tally->in_chunk > 0)
        chunk_release(tally->chunk, tally->in_chunk);
    tally->in_chunk = 0;
    tally->chunk = NULL;
}

void outcome_flush(struct outcome *outcome, struct outcome_tally *tally)
{
    struct job *job = tally->job;
    size_t ended = 0;
    bool over = false;
    figures_flush(&tally->figures);
    flush_chunk(outcome, tally);
    for (int state = 0; state < TASK_STATE_COUNT && job != NULL; state++) {
        uint32_t count = tally->in_job[state];
        if (count == 0)
            continue;
        tally->in_job[state] = 0;
        ended += count;
        over = job_count_ended(job, (enum task_state)state, count);
    }
    tally->job = NULL;
    if (ended > 0 && room_give(outcome->pending, ended))
        outcome->hooks.room_reached(outcome->hooks.context);
    if (over)
        outcome->hooks.job_over(outcome->hooks.context, job);
}

static void count(struct outcome *outcome, const struct task *task, const struct attempt *attempt,
                  struct outcome_tally *tally)
{
    if (tally->job != task->job && tally->job != NULL)
        outcome_flush(outcome, tally);
    if (tally->chunk != task->chunk)
        flush_chunk(outcome, tally);
    tally->job = task->job;
    tally->chunk = task->chunk;
    tally->in_job[task_state(task)]++;
    figures_add_end(&tally->figures, task, attempt->ended_ns);
}

/* The task is at its end: says so, counts it, and lets go of its memory. Its type is the one that
 * the tally's figures are of. True: who listens was told. */
static bool end_task(struct outcome *outcome, struct task *task, enum task_state state,
                     const struct attempt *attempt, struct outcome_tally *tally)
{
    const struct outcome_hooks *hooks = &outcome->hooks;
    bool listened = hooks->ended != NULL && (state != TASK_SUCCEEDED || hooks->wants_all);
    task_move(task, state);
    if (listened)
        hooks->ended(hooks->context, &(struct outcome_record){task, state, attempt, 0});
    count(outcome, task, attempt, tally);
    add_end(outcome, task, attempt, tally);
    if (task->unique != NULL)
        claim_give_back(outcome->store, task);
    job_keep_result(task, attempt->outputs);
    if (task->late)
        late_release(task);
    job_release_dependents(task, &tally->released);
    if (!attempt->memory_stays)
        tally->in_chunk++;
    return listened;
}

/* A task that is not to start, or not again. */
static void end_unstarted(struct outcome *outcome, struct task *task, enum task_state state,
                          const struct outcome_reason *reason, struct outcome_tally *tally)
{
    int64_t now_ns = clock_now_ns();
    struct attempt attempt = {.verdict = VERDICT_CANCELLED,
                              .started_ns = now_ns,
                              .ended_ns = now_ns,
                              .reason = reason->word,
                              .message = reason->message};
    figures_turn_to(outcome->figures, &tally->figures, task->type);
    if (outcome->hooks.discharge != NULL && atomic_load(&task->charged) != 0)
        outcome->hooks.discharge(outcome->hooks.context, task);
    end_task(outcome, task, state, &attempt, tally);
}

/* Why a task that job_stops says is not to start does not. */
static struct outcome_reason stop_reason(const struct task *task)
{
    if (atomic_load(&task->cancelled))
        return (struct outcome_reason){"cancelled", "it was cancelled"};
    switch ((enum job_stop)atomic_load(&task->job->stop)) {
    case JOB_FAILED_FAST:
        return (struct outcome_reason){"fail_fast",
                                       "another task of the job failed and fail_fast is set"};
    case JOB_CANCELLED:
        return (struct outcome_reason){"cancelled", "its job was cancelled"};
    case JOB_GOES_ON:
    case JOB_STOPPED:
        break;
    }
    return (struct outcome_reason){"stopped", "the run was stopped"};
}

/* A failed task that waited for its next attempt, which another failure takes from it: it ends as
 * its last attempt did. */
static void end_failed(struct outcome *outcome, struct task *task, const char *why,
                       struct outcome_tally *tally)
{
    CLEANUP(last_attempt_fini) struct last_attempt last;
    last_attempt_find(&last, outcome->store, task);
    buffer_printf(&last.message, "%sattempt %u was not started: %s",
                  last.message.length > 0 ? "; " : "", task->attempt, why);
    struct outcome_reason reason = {buffer_text(&last.reason), buffer_text(&last.message)};
    end_unstarted(outcome, task, task->timed_out ? TASK_TIMED_OUT : TASK_FAILED, &reason, tally);
}

static void end_stopped(struct outcome *outcome, struct task *task, struct outcome_tally *tally)
{
    struct outcome_reason reason = stop_reason(task);
    bool fast = strcmp(reason.word, "fail_fast") == 0;
    char message[128];
    if (task->attempt > 1 && fast) {
        end_failed(outcome, task, reason.message, tally);
        return;
    }
    if (task->attempt > 1) /* it failed, and waited for its next attempt: it may yet succeed */
        snprintf(message, sizeof message, "attempt %u was not started: %s", task->attempt,
                 reason.message);
    else
        snprintf(message, sizeof message, "not started: %s", reason.message);
    reason.message = message;
    end_unstarted(outcome, task, fast ? TASK_SKIPPED : TASK_CANCELLED, &reason, tally);
}

static bool fail_task(struct outcome *outcome, struct task *task, enum task_state state,
                      const struct attempt *attempt, struct outcome_tally *tally)
{
    struct job *job = task->job;
    int goes_on = JOB_GOES_ON;
    bool listened = end_task(outcome, task, state, attempt, tally);
    if (job->fail_fast && atomic_compare_exchange_strong(&job->stop, &goes_on, JOB_FAILED_FAST))
        outcome->hooks.job_stops(outcome->hooks.context, job);
    return listened;
}

/* A new name for the next attempt; whether this one counts is known already. */
static void store_try(struct outcome *outcome, struct task *task,
                      const struct store_attempt *attempt, int64_t due_ns)
{
    struct error error;
    struct store_retry retry = {.name = attempt_name(outcome, task),
                                .how = *attempt,
                                .due_wall_ns = clock_add_ns(outcome->wall_ns, due_ns)};
    bool stored = store_retry(outcome->store, &retry, 1, &error);
    assert(stored && retry.answer == STORE_DONE);
    task->name = retry.next_attempt;
}

static bool try_again(struct outcome *outcome, struct task *task, const struct attempt *attempt,
                      struct outcome_tally *tally)
{
    int64_t due_ns = clock_add_ns(attempt->ended_ns, attempt->try_again_ns);
    if (!job_stops(task)) {
        struct store_attempt how;
        describe(outcome, attempt, &how);
        store_try(outcome, task, &how, due_ns);
        if (outcome->hooks.delay(outcome->hooks.context, task, due_ns))
            return false;
    }
    return end_task(outcome, task, TASK_CANCELLED, attempt, tally);
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
    describe(outcome, attempt, &how);
    how.charged = true;
    store_try(outcome, task, &how, due_ns);
    tally->figures.retries++;
    task->attempt++;
    task->timed_out = attempt->verdict == VERDICT_TIMED_OUT;
    if (outcome->hooks.delay(outcome->hooks.context, task, due_ns))
        return listened;
    task_move(task, TASK_DELAYED);
    end_stopped(outcome, task, tally);
    return true;
}

static bool fails_for_now(const struct task *task, const struct attempt *attempt)
{
    return retry_follows(task, attempt) && !job_stops(task);
}

static bool end_by_verdict(struct outcome *outcome, struct task *task,
                           const struct attempt *attempt, struct outcome_tally *tally)
{
    switch (attempt->verdict) {
    case VERDICT_OK:
        return end_task(outcome, task, TASK_SUCCEEDED, attempt, tally);
    case VERDICT_FAILED:
    case VERDICT_FAILED_FOR_GOOD:
        return fails_for_now(task, attempt) ? retry(outcome, task, attempt, tally)
                                            : fail_task(outcome, task, TASK_FAILED, attempt, tally);
    case VERDICT_TIMED_OUT:
        return fails_for_now(task, attempt)
                   ? retry(outcome, task, attempt, tally)
                   : fail_task(outcome, task, TASK_TIMED_OUT, attempt, tally);
    case VERDICT_TRY_AGAIN:
        return try_again(outcome, task, attempt, tally);
    case VERDICT_CANCELLED:
        return end_task(outcome, task, TASK_CANCELLED, attempt, tally);
    }
    return false;
}

/* Decides about a task all of whose needs have ended; what may start at once goes to the list. */
static void release_one(struct outcome *outcome, struct task *task, int64_t now_ns,
                        struct outcome_tally *tally, struct task_list *ready)
{
    struct condition condition;
    struct claim claim;
    if (atomic_load(&task->job->stop) >= JOB_CANCELLED || atomic_load(&task->cancelled)) {
        end_stopped(outcome, task, tally);
    } else if (task_state(task) == TASK_WAITING && !condition_holds(&condition, task)) {
        end_unstarted(outcome, task, TASK_SKIPPED, &condition.reason, tally);
    } else if (job_stops(task)) {
        end_stopped(outcome, task, tally);
    } else if (task->unique != NULL && !claim_take(&claim, outcome->store, task)) {
        end_unstarted(outcome, task, TASK_SKIPPED, &claim.reason, tally);
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
    bool listened = end_by_verdict(outcome, task, attempt, tally);
    if (tally->released.count > 0)
        release_at(outcome, attempt->ended_ns, tally);
    return listened;
}

void outcome_drop(struct outcome *outcome, struct task *task, enum task_state state,
                  const struct outcome_reason *reason, struct outcome_tally *tally)
{
    assert(state == TASK_CANCELLED || state == TASK_SKIPPED);
    end_unstarted(outcome, task, state, reason, tally);
    release_all(outcome, tally);
}

void outcome_drop_stopped(struct outcome *outcome, struct task *task, struct outcome_tally *tally)
{
    end_stopped(outcome, task, tally);
    release_all(outcome, tally);
}

void outcome_log(struct outcome *outcome, const struct task *task, const char *text, size_t length)
{
    struct error error;
    struct store_written written = {
        .name = attempt_name(outcome, task), .text = text, .length = length};
    if (!store_write_log(outcome->store, &written, 1, &error))
        log_warning("what a task logged could not be kept", LOG_TEXT("task", task->id),
                    LOG_TEXT("reason", error.message));
}
