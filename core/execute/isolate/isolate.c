#include "execute/isolate/isolate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept/job.h"
#include "execute/isolate/channel.h"
#include "execute/isolate/internal.h"
#include "support/log.h"

static_assert((int)BATCH_MOST == (int)FRAME_TASKS_MOST, "a batch travels in one frame");
static_assert((int)BATCH_TAKEN == (int)SEAT_TAKEN, "both say the same");

/* Between two attempts to start a process: twice as long after each that has failed. */
#define START_PAUSE_NS      (100 * NS_PER_MS)
#define START_PAUSE_MOST_NS (10 * NS_PER_S)

struct isolate *isolate_create(struct worker *worker)
{
    struct isolate *isolate = calloc(1, sizeof *isolate);
    if (isolate == NULL)
        abort();
    isolate->worker = worker;
    isolate->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    process_init(&isolate->process);
    return isolate;
}

/* A host that ends waits for its grace period, and then for nobody: what the process has left
 * behind is to be killed by then. */
void isolate_leave(struct isolate *isolate)
{
    int64_t grace_ns = isolate->worker->pool->executor->options.limits.grace_ns;
    process_stop(&isolate->process, clock_now_ns() + isolate_earlier_ns(LEAVE_NS, grace_ns / 2));
}

void isolate_destroy(struct isolate **pointer)
{
    struct isolate *isolate = *pointer;
    *pointer = NULL;
    if (isolate == NULL)
        return;
    process_fini(&isolate->process);
    buffer_fini(&isolate->frame);
    if (isolate->wake_fd >= 0)
        close(isolate->wake_fd);
    free(isolate);
}

void isolate_poke(struct isolate *isolate)
{
    if (isolate->wake_fd >= 0)
        eventfd_write(isolate->wake_fd, 1);
}

/* ---- for others, under the worker's lock ---- */

/* Returns how many tasks of the batch have begun, and are ours. */
uint32_t isolate_begun(const struct isolate *isolate)
{
    uint32_t next = atomic_load(&isolate->process.seat->next);
    if (next > isolate->limit)
        next = isolate->limit;
    return next > isolate->held ? next : isolate->held;
}

static bool isolate_is_in_hand(const struct isolate *isolate)
{
    return isolate->ended < isolate_begun(isolate);
}

void isolate_take_rest(struct isolate *isolate, struct task_list *rest)
{
    isolate->held = isolate_begun(isolate);
    uint32_t from = atomic_exchange(&isolate->process.seat->next, SEAT_TAKEN);
    if (from < isolate->held) /* only a process that plays false says so */
        from = isolate->held;
    for (uint32_t i = from; i < isolate->limit; i++)
        task_list_push(rest, isolate->worker->batch[i]);
    if (from < isolate->limit)
        isolate->limit = from;
    isolate->held = isolate->limit;
}

const struct task *isolate_task_in_hand(const struct isolate *isolate)
{
    return isolate_is_in_hand(isolate) ? isolate->worker->batch[isolate->ended] : NULL;
}

/* What a process says of times may be anything. */
static int64_t possible_ns(int64_t started_ns)
{
    int64_t now_ns = clock_now_ns();
    return started_ns > 0 && started_ns < now_ns ? started_ns : now_ns;
}

bool isolate_read_running(const struct isolate *isolate, struct running *running)
{
    const struct seat *seat = isolate->process.seat;
    if (!isolate_is_in_hand(isolate))
        return false;
    uint64_t at = isolate->at[isolate->ended];
    running->number = (uint32_t)(at >> 32);
    running->attempt = (uint32_t)at;
    running->started_ns = possible_ns(atomic_load(&seat->tasks[isolate->ended].started_ns));
    running->progress_done = atomic_load(&seat->progress.done);
    running->progress_total = atomic_load(&seat->progress.total);
    running->job_key = isolate->job_key;
    return true;
}

/* ---- a batch ---- */

static void drop(struct isolate *isolate, struct task *task)
{
    struct worker *worker = isolate->worker;
    group_discharge(task);
    outcome_drop_stopped(worker->pool->executor->options.outcome, task, worker->tally);
}

/* Ends a task that cannot be sent. */
static void refuse(struct isolate *isolate, struct task *task, enum verdict verdict,
                   const char *reason, const char *message)
{
    struct worker *worker = isolate->worker;
    const struct generation *generation = worker->pool->generation;
    const struct attempt attempt = {.verdict = verdict,
                                    .started_ns = worker->clock.now_ns,
                                    .ended_ns = worker->clock.now_ns,
                                    .reason = reason,
                                    .message = message,
                                    .plugin = generation->plugin,
                                    .version = generation->version};
    isolate_mark_running(task);
    outcome_end(worker->pool->executor->options.outcome, task, &attempt, worker->tally);
}

/* Adds a task to the frame; false: it has ended, since its parameters cannot be made. */
static bool add_task(struct isolate *isolate, const struct offer *offer, struct task *task)
{
    struct frame_task sent = {.offer = offer->index,
                              .attempt = task->attempt,
                              .timeout_ns = task->timeout_ns,
                              .id = task->id,
                              .type = task->type->name};
    struct error error;
    if (!invoke_resolve(offer, task, &isolate->worker->resolved, &sent.params, &error)) {
        refuse(isolate, task, VERDICT_FAILED_FOR_GOOD, "params_rejected", error.message);
        return false;
    }
    if (task->labels != NULL)
        sent.labels = *task->labels;
    frame_put_task(&isolate->frame, &sent);
    return true;
}

/* Takes the batch into its own hands: nobody else takes of it from here on until it is sent.
 * Returns how many tasks it is. */
static uint32_t take_batch(struct isolate *isolate)
{
    struct worker *worker = isolate->worker;
    MUTEX_GUARD(&worker->lock);
    worker->taken_at = atomic_exchange(&worker->next, BATCH_TAKEN);
    return worker->taken_at == 0 ? worker->batch_count : 0;
}

/* Writes the frame of those that may start, which stand in front of the batch then. Returns how
 * many they are. */
static uint32_t pack_batch(struct isolate *isolate, uint32_t count)
{
    struct worker *worker = isolate->worker;
    uint32_t kept = 0;
    isolate->frame.length = 0;
    frame_put_tasks(&isolate->frame, ++isolate->batch, worker->grant.job->id, 0);
    size_t count_at = isolate->frame.length - sizeof(uint32_t);
    const struct offer *offer = generation_offer(worker->pool->generation, worker->type);
    for (uint32_t i = 0; i < count; i++) {
        struct task *task = worker->batch[i];
        if (job_stops(task)) {
            drop(isolate, task);
        } else if (add_task(isolate, offer, task)) {
            isolate->at[kept] = (uint64_t)job_place(task) << 32 | task->name;
            worker->batch[kept++] = task;
        }
    }
    memcpy(isolate->frame.bytes + count_at, &kept, sizeof kept);
    return kept;
}

/* From here on others see the batch as one that is in a process. */
static void open_batch(struct isolate *isolate, uint32_t count)
{
    struct worker *worker = isolate->worker;
    struct seat *seat = isolate->process.seat;
    MUTEX_GUARD(&worker->lock);
    for (uint32_t i = 0; i < count; i++) {
        atomic_store_explicit(&seat->tasks[i].phase, SEAT_WAITS, memory_order_relaxed);
        atomic_store_explicit(&seat->tasks[i].started_ns, 0, memory_order_relaxed);
    }
    atomic_store(&seat->next, 0);
    isolate->ended = isolate->held = 0;
    isolate->limit = count;
    isolate->done = isolate->was_asked = isolate->was_killed = isolate->is_held_up = false;
    isolate->asked_ns = isolate->paused_ns = isolate->seen_ns = 0;
    isolate->job_key = worker->grant.job->store_key;
    worker->is_isolated = true;
    isolate_record(isolate);
}

static void close_batch(struct isolate *isolate)
{
    MUTEX_GUARD(&isolate->worker->lock);
    isolate->worker->is_isolated = false;
    isolate->worker->cancels = NULL;
}

static bool start_process(struct isolate *isolate, uint64_t memory_most, struct error *error)
{
    const struct pool *pool = isolate->worker->pool;
    const struct generation *generation = pool->generation;
    struct frame_setup setup = {.copy = generation->copy,
                                .log_level = log_level_now(),
                                .log_format = log_format_now(),
                                .keeps_output = pool->executor->options.logs == EXECUTOR_KEEPS_LOGS,
                                .memory_most = memory_most};
    setup.settings = generation->settings->pairs;
    setup.settings_count = (uint32_t)generation->settings->count;
    isolate->broken = false;
    isolate->served = 0;
    isolate->memory_most = memory_most;
    if (!process_start(&isolate->process, generation->plugin, &setup,
                       clock_now_ns() + generation->house->limit_ns, error))
        return false;
    atomic_store(&isolate->worker->cpu_clock, process_cpu_clock(&isolate->process));
    return true;
}

/* A process with another limit, or that has done enough, makes room for a new one. */
static bool ready_process(struct isolate *isolate, const struct group *group, struct error *error)
{
    struct process *process = &isolate->process;
    const struct group_process *how = &group->process;
    bool is_used_up = how->recycle_after > 0 && isolate->served >= how->recycle_after;
    if (process_runs(process) &&
        (is_used_up || isolate->memory_most != how->memory_most_bytes || isolate_is_dead(isolate)))
        process_stop(process, clock_now_ns() + LEAVE_NS);
    return process_runs(process) || start_process(isolate, how->memory_most_bytes, error);
}

static void back_off(struct isolate *isolate, struct group *group, const struct error *error)
{
    struct group_start start = {.failures = ++isolate->failures};
    int64_t pause_ns = START_PAUSE_NS;
    for (uint32_t i = 1; i < start.failures && pause_ns < START_PAUSE_MOST_NS; i++)
        pause_ns *= 2;
    start.again_ns = clock_now_ns() + isolate_earlier_ns(pause_ns, START_PAUSE_MOST_NS);
    snprintf(start.why, sizeof start.why, "%.*s", GROUP_START_WHY_BYTES - 1, error->message);
    isolate->rests_until_ns = start.again_ns;
    group_note_start(group, &start);
}

/* One starts again after it did not. */
static void note_success(struct isolate *isolate, struct group *group)
{
    static const struct group_start fine;
    if (isolate->failures > 0)
        group_note_start(group, &fine);
    isolate->failures = 0;
}

/* The first task has to answer for it, so that nothing is tried for ever; the others go back. None
 * is left if they were taken away meanwhile. */
static void fail_start(struct isolate *isolate, struct group *group, uint32_t count,
                       const struct error *error)
{
    struct worker *worker = isolate->worker;
    struct task_list rest;
    task_list_init(&rest);
    if (count > 0)
        refuse(isolate, worker->batch[0], VERDICT_FAILED, "worker_start", error->message);
    for (uint32_t i = 1; i < count; i++)
        task_list_push(&rest, worker->batch[i]);
    if (rest.count > 0)
        group_put_back(group, &rest);
    back_off(isolate, group, error);
}

/* A process that has grown, or in which threads were left behind, is not used again. */
static void see_off(struct isolate *isolate)
{
    bool is_large =
        isolate->memory_most > 0 && isolate->last.resident_bytes > isolate->memory_most / 4 * 3;
    if (is_large || isolate->last.has_strays)
        process_stop(&isolate->process, clock_now_ns() + LEAVE_NS);
}

/* One that is idle has taken all that it was sent: there is room. */
static bool send_batch(struct isolate *isolate)
{
    return channel_send(isolate->process.work_fd, &isolate->frame, MSG_DONTWAIT) == CHANNEL_OK;
}

/* Whoever has cancelled, paused or stopped while the batch was in nobody's sight has missed it. */
static bool is_called_off(const struct isolate *isolate, struct group *group, uint32_t count)
{
    const struct worker *worker = isolate->worker;
    for (uint32_t i = 0; i < count; i++)
        if (job_stops(worker->batch[i]))
            return true;
    return atomic_load(&worker->pool->stopping) || group_is_paused(group);
}

static void hand_back(struct isolate *isolate)
{
    struct task_list rest;
    task_list_init(&rest);
    worker_take_rest(isolate->worker, NULL, NULL, &rest);
    if (rest.count > 0)
        worker_return_rest(isolate->worker, &rest);
}

static void run_in_process(struct isolate *isolate, struct group *group, uint32_t count)
{
    struct worker *worker = isolate->worker;
    isolate->ran_ns = 0;
    open_batch(isolate, count);
    if (is_called_off(isolate, group, count)) {
        hand_back(isolate);
        close_batch(isolate);
        return;
    }
    if (send_batch(isolate) && isolate_attend(isolate))
        see_off(isolate);
    else
        isolate_bury(isolate, group);
    if (isolate->ended > 0)
        meter_add(worker->pool->executor->meter, worker->type, isolate->ran_ns, isolate->ended);
    close_batch(isolate);
}

/* Whoever stops, pauses or cancels takes the batch away while the process starts. */
void isolate_run(struct isolate *isolate, struct group *group)
{
    struct error error;
    clock_read(&isolate->worker->clock);
    bool is_ready = ready_process(isolate, group, &error);
    uint32_t count = take_batch(isolate);
    if (!is_ready) {
        fail_start(isolate, group, count, &error);
        return;
    }
    note_success(isolate, group);
    count = pack_batch(isolate, count);
    if (count > 0)
        run_in_process(isolate, group, count);
}

void isolate_rest(struct isolate *isolate)
{
    struct worker *worker = isolate->worker;
    if (isolate->rests_until_ns == 0)
        return;
    pool_mark_slow(worker->pool, worker);
    pool_rest(worker->pool, isolate->rests_until_ns);
    isolate->rests_until_ns = 0;
    pool_mark_brisk(worker->pool, worker);
}
