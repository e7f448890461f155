/* What ends is gathered and handed in at once: to the store, the job, the chunk, the room. */
#include <assert.h>

#include "accept/chunk.h"
#include "accept/job.h"
#include "accept/room.h"
#include "outcome/internal.h"
#include "support/log.h"

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

struct store_name outcome_name(const struct outcome *outcome, const struct task *task)
{
    return (struct store_name){.job = task->job->store_key,
                               .epoch = store_epoch(outcome->store),
                               .number = job_place(task),
                               .attempt = task->name};
}

/* Field by field: a struct that is returned and copied is read in larger pieces than it was just
 * written, for which the processor waits. */
void outcome_describe(const struct outcome *outcome, const struct attempt *attempt,
                      struct store_attempt *how)
{
    how->attempt = 0;
    how->charged = false;
    how->started_wall_ns = outcome->wall_ns + attempt->started_ns;
    how->ended_wall_ns = outcome->wall_ns + attempt->ended_ns;
    how->reason = attempt->reason;
    how->message = attempt->message;
}

void tally_say_ends(struct outcome *outcome, struct outcome_tally *tally)
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

/* Ends without a text are gathered, if the store is in memory; texts live only as long as this
 * call. */
void tally_add_end(struct outcome *outcome, const struct task *task, const struct attempt *attempt,
                   struct outcome_tally *tally)
{
    bool has_texts = attempt->reason[0] != '\0' || attempt->outputs != NULL;
    struct store_end *end = &tally->ends[tally->ends_count++];
    end->name = outcome_name(outcome, task);
    end->state = stored_state(task_state(task));
    outcome_describe(outcome, attempt, &end->how);
    end->outputs = attempt->outputs != NULL ? attempt->outputs->bytes : NULL;
    end->outputs_bytes = attempt->outputs != NULL ? attempt->outputs->length : 0;
    bool waits = !store_borrows(outcome->store); /* it is lost if the host dies in the next call */
    if (has_texts || waits || tally->ends_count == OUTCOME_ENDS_MOST)
        tally_say_ends(outcome, tally);
}

static void tally_flush_chunk(struct outcome *outcome, struct outcome_tally *tally)
{
    tally_say_ends(outcome, tally);
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
    tally_flush_chunk(outcome, tally);
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

/* The memory of a task is done with. */
void tally_count(struct outcome *outcome, const struct task *task, enum task_state as,
                 struct outcome_tally *tally)
{
    if (tally->job != task->job && tally->job != NULL)
        outcome_flush(outcome, tally);
    if (tally->chunk != task->chunk)
        tally_flush_chunk(outcome, tally);
    tally->job = task->job;
    tally->chunk = task->chunk;
    tally->in_job[as]++;
}
