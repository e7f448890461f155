/* How tasks of an isolated batch end. */
#include "accept/job.h"
#include "execute/isolate/internal.h"

struct task *isolate_current(const struct isolate *isolate)
{
    return isolate->worker->batch[isolate->ended];
}

void isolate_mark_running(struct task *task)
{
    if (task_state(task) == TASK_RUNNING)
        return;
    group_discharge(task);
    task_move(task, TASK_RUNNING);
}

/* The recorder has the first task that has not ended, from when the process may begin with it. No
 * host dies of it; but what is suspected is so still if this host dies of something else. The
 * worker's lock is held. */
void isolate_record(const struct isolate *isolate)
{
    const struct worker *worker = isolate->worker;
    _Atomic uint32_t *isolating = worker->pool->executor->isolating;
    if (isolate->ended == isolate->limit)
        return;
    if (atomic_load_explicit(&isolating[worker->type->number], memory_order_relaxed) > 0)
        flight_write(worker->slot, isolate->at[isolate->ended], clock_now_ns());
    else
        flight_write_apart(worker->slot, isolate->at[isolate->ended], clock_now_ns());
}

/* Ends the first task that has not ended. It counts as ended before it is, so that nobody takes it
 * away meanwhile. */
void isolate_end_task(struct isolate *isolate, struct attempt *attempt)
{
    struct worker *worker = isolate->worker;
    const struct generation *generation = worker->pool->generation;
    struct task *task = isolate_current(isolate);
    mutex_lock(&worker->lock);
    isolate->ended++;
    mutex_unlock(&worker->lock);
    isolate->seen_ns = 0;
    attempt->plugin = generation->plugin;
    attempt->version = generation->version;
    isolate->ran_ns += attempt->ended_ns - attempt->started_ns;
    isolate->was_asked = isolate->is_held_up = false;
    isolate->served++;
    isolate->deaths = 0;
    isolate_mark_running(task);
    outcome_end(worker->pool->executor->options.outcome, task, attempt, worker->tally);
    MUTEX_GUARD(&worker->lock);
    isolate_record(isolate);
}

/* What a process says of times is held to what is possible. */
static int64_t within(int64_t ns, int64_t least_ns, int64_t most_ns)
{
    return ns < least_ns ? least_ns : ns > most_ns ? most_ns : ns;
}

/* It has begun before it was seen; 0 is there for a moment only. */
struct attempt isolate_attempt(const struct isolate *isolate, int64_t ended_ns)
{
    const struct seat_task *seen = &isolate->process.seat->tasks[isolate->ended];
    int64_t now_ns = clock_now_ns(), started_ns = atomic_load(&seen->started_ns);
    int64_t most_ns = isolate->seen_ns != 0 ? isolate->seen_ns : now_ns;
    started_ns =
        started_ns == 0 ? most_ns : within(started_ns, isolate->worker->clock.now_ns, most_ns);
    return (struct attempt){.started_ns = started_ns,
                            .ended_ns = within(ended_ns, started_ns, now_ns)};
}

/* From here on nobody takes the task in hand away; false: there is none. */
bool isolate_hold(struct isolate *isolate)
{
    MUTEX_GUARD(&isolate->worker->lock);
    isolate->held = isolate_begun(isolate);
    return isolate->ended < isolate->held;
}

/* The same for the first task that has not ended, begun or not. */
bool isolate_hold_first(struct isolate *isolate)
{
    MUTEX_GUARD(&isolate->worker->lock);
    if (isolate->ended == isolate->limit)
        return false;
    if (isolate->held == isolate->ended)
        isolate->held++;
    return true;
}

static bool has_succeeded(const struct isolate *isolate)
{
    const struct seat_task *seen = &isolate->process.seat->tasks[isolate->ended];
    return atomic_load_explicit(&seen->phase, memory_order_acquire) == SEAT_SUCCEEDED;
}

/* Ends tasks that have succeeded, as far as they are known; not beyond the index. */
void isolate_gather(struct isolate *isolate, uint32_t to)
{
    while (isolate->ended < to && has_succeeded(isolate) && isolate_hold(isolate)) {
        const struct seat_task *seen = &isolate->process.seat->tasks[isolate->ended];
        struct attempt attempt = isolate_attempt(isolate, atomic_load(&seen->ended_ns));
        attempt.verdict = VERDICT_OK;
        attempt.reason = attempt.message = "";
        isolate_end_task(isolate, &attempt);
    }
}

/* Returns how many tasks of the batch are ours. */
uint32_t isolate_limit(struct isolate *isolate)
{
    MUTEX_GUARD(&isolate->worker->lock);
    return isolate->limit;
}

int64_t isolate_deadline_ns(const struct task *task, int64_t started_ns)
{
    return task->timeout_ns > 0 ? clock_add_ns(started_ns, task->timeout_ns) : CLOCK_NEVER_NS;
}
