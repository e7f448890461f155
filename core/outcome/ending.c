/* How a task comes to its end, whatever brought it there. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "accept/job.h"
#include "accept/late.h"
#include "accept/past.h"
#include "outcome/claim.h"
#include "outcome/internal.h"
#include "outcome/last_attempt.h"
#include "support/cleanup.h"
#include "support/clock.h"

/* The task is at its end: says so, counts it, and lets go of its memory. Its type is the one that
 * the tally's figures are of. True: who listens was told. */
bool ending_end(struct outcome *outcome, struct task *task, enum task_state state,
                const struct attempt *attempt, struct outcome_tally *tally)
{
    const struct outcome_hooks *hooks = &outcome->hooks;
    bool listened = hooks->ended != NULL && (state != TASK_SUCCEEDED || hooks->wants_all);
    task_move(task, state);
    if (listened)
        hooks->ended(hooks->context, &(struct outcome_record){task, state, attempt, 0});
    tally_count(outcome, task, state, tally);
    figures_add_end(&tally->figures, task, attempt->ended_ns);
    tally_add_end(outcome, task, attempt, tally);
    if (task->unique != NULL) {
        tally_say_ends(outcome, tally); /* or else it might run again while another has its key */
        claim_give_back(outcome->store, task);
    }
    job_keep_result(task, attempt->outputs);
    if (task->suspect)
        hooks->suspect(hooks->context, task, NULL);
    if (task->late)
        late_release(task);
    job_release_dependents(task, &tally->released);
    if (!attempt->memory_stays)
        tally->in_chunk++;
    return listened;
}

/* A task that is not to start, or not again. */
void ending_unstarted(struct outcome *outcome, struct task *task, enum task_state state,
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
    ending_end(outcome, task, state, &attempt, tally);
}

/* The host stops, and the store has the task for the next one: its end here is none. */
bool ending_is_kept(const struct outcome *outcome, const struct task *task)
{
    return !store_borrows(outcome->store) && atomic_load(&task->job->stop) == JOB_STOPPED &&
           !atomic_load(&task->cancelled);
}

/* Nobody hears of it but those who wait for it, which are kept as well. It counts as one that has
 * not ended. */
void ending_keep(struct outcome *outcome, struct task *task, struct outcome_tally *tally)
{
    task_move(task, TASK_CANCELLED);
    tally_count(outcome, task, TASK_ACCEPTED, tally);
    if (task->late)
        late_release(task);
    job_release_dependents(task, &tally->released);
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
    ending_unstarted(outcome, task, task->timed_out ? TASK_TIMED_OUT : TASK_FAILED, &reason, tally);
}

void ending_stopped(struct outcome *outcome, struct task *task, struct outcome_tally *tally)
{
    if (ending_is_kept(outcome, task)) {
        ending_keep(outcome, task, tally);
        tally->in_chunk++;
        return;
    }
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
    ending_unstarted(outcome, task, fast ? TASK_SKIPPED : TASK_CANCELLED, &reason, tally);
}

static void recall(struct outcome *outcome, struct task *task, const struct past_end *end,
                   struct outcome_tally *tally)
{
    struct attempt attempt = {.started_ns = end->started_wall_ns - outcome->wall_ns,
                              .ended_ns = end->ended_wall_ns - outcome->wall_ns,
                              .reason = end->reason,
                              .message = end->message,
                              .outputs = &end->outputs};
    task_move(task, end->state);
    tally_count(outcome, task, end->state, tally);
    tally_add_end(outcome, task, &attempt, tally);
    atomic_fetch_add(&task->job->recalled, 1); /* now the store knows of it */
    job_keep_result(task, attempt.outputs);
    if (task->late)
        late_release(task);
    job_release_dependents(task, &tally->released);
    tally->in_chunk++;
}

bool ending_recall(struct outcome *outcome, struct task *task, struct outcome_tally *tally)
{
    struct past_end end;
    bool ended = task->job->past != NULL && past_find(task->job->past, task, &end);
    if (ended)
        recall(outcome, task, &end, tally);
    return ended;
}
