#include "execute/isolate/isolate.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept/job.h"
#include "execute/isolate/channel.h"
#include "execute/isolate/death.h"
#include "execute/isolate/process.h"
#include "support/log.h"

static_assert((int)BATCH_MOST == (int)FRAME_TASKS_MOST, "a batch travels in one frame");
static_assert((int)BATCH_TAKEN == (int)SEAT_TAKEN, "both say the same");

/* A process that is to leave has so long to do so. */
#define LEAVE_NS NS_PER_S
/* Between two attempts to start one. */
#define START_PAUSE_NS (100 * NS_PER_MS)

/* A process that neither makes a call nor says that it is through for so long is taken for lost. */
#define PAUSE_MOST_NS (5 * NS_PER_S)

/* How often a process may die between two calls before a task has to answer for it. */
enum { DEATHS_MOST = 3 };

struct isolate {
    struct worker *worker; /* immutable */
    int wake_fd;           /* an eventfd; immutable */
    /* the worker's thread */
    struct process process;
    uint64_t memory_most; /* that the process was started with */
    uint32_t served;      /* tasks that have ended in the process */
    uint32_t deaths;      /* in a row, between two calls */
    uint32_t batch;       /* the number of the last one */
    struct buffer frame;
    struct answer_text text;
    /* of the batch in the process */
    bool done;       /* the process says that it is through */
    bool broken;     /* it says what it must not */
    bool was_asked;  /* the task in hand was asked to end, at asked_ns */
    bool was_killed; /* since that did not help */
    bool is_held_up; /* the batch waits for the task in hand no more */
    int64_t asked_ns;
    int64_t paused_ns; /* since when it has made no call; 0: it does */
    int64_t ran_ns;
    struct frame_done last;
    /* guarded by the worker's lock: tasks of the batch that have ended, and that are still ours */
    uint32_t ended, limit;
    uint64_t job_key;        /* of all of them, in the store */
    uint64_t at[BATCH_MOST]; /* what flight_slot.at would say of them */
};

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

void isolate_leave(struct isolate *isolate)
{
    process_stop(&isolate->process, clock_now_ns() + LEAVE_NS);
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

void isolate_take_rest(struct isolate *isolate, struct task_list *rest)
{
    struct worker *worker = isolate->worker;
    uint32_t from = atomic_exchange(&isolate->process.seat->next, SEAT_TAKEN);
    if (from >= isolate->limit)
        return;
    if (from < isolate->ended) /* only a process that plays false says so */
        from = isolate->ended;
    for (uint32_t i = from; i < isolate->limit; i++)
        task_list_push(rest, worker->batch[i]);
    isolate->limit = from;
}

/* Returns whether the process has taken the first task that has not ended. */
static bool is_in_hand(const struct isolate *isolate)
{
    return isolate->ended < isolate->limit &&
           atomic_load(&isolate->process.seat->next) > isolate->ended;
}

const struct task *isolate_task_in_hand(const struct isolate *isolate)
{
    return is_in_hand(isolate) ? isolate->worker->batch[isolate->ended] : NULL;
}

bool isolate_read_running(const struct isolate *isolate, struct running *running)
{
    const struct seat *seat = isolate->process.seat;
    if (!is_in_hand(isolate))
        return false;
    uint64_t at = isolate->at[isolate->ended];
    running->number = (uint32_t)(at >> 32);
    running->attempt = (uint32_t)at;
    running->started_ns = atomic_load(&seat->tasks[isolate->ended].started_ns);
    running->progress_done = atomic_load(&seat->progress.done);
    running->progress_total = atomic_load(&seat->progress.total);
    running->job_key = isolate->job_key;
    return true;
}

/* ---- the ends of tasks ---- */

static struct task *task_in_hand(const struct isolate *isolate)
{
    return isolate->worker->batch[isolate->ended];
}

static void mark_running(struct task *task)
{
    if (task_state(task) == TASK_RUNNING)
        return;
    group_discharge(task);
    task_move(task, TASK_RUNNING);
}

/* The recorder has the first task that has not ended, from when the process may begin with it. No
 * host dies of it; but what is suspected is so still if this host dies of something else. The
 * worker's lock is held. */
static void record(const struct isolate *isolate)
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
static void end_task(struct isolate *isolate, struct attempt *attempt)
{
    struct worker *worker = isolate->worker;
    const struct generation *generation = worker->pool->generation;
    struct task *task = task_in_hand(isolate);
    mutex_lock(&worker->lock);
    isolate->ended++;
    mutex_unlock(&worker->lock);
    attempt->plugin = generation->plugin;
    attempt->version = generation->version;
    isolate->ran_ns += attempt->ended_ns - attempt->started_ns;
    isolate->was_asked = isolate->is_held_up = false;
    isolate->served++;
    isolate->deaths = 0;
    mark_running(task);
    outcome_end(worker->pool->executor->options.outcome, task, attempt, worker->tally);
    MUTEX_GUARD(&worker->lock);
    record(isolate);
}

/* What a process says of times is held to what is possible. */
static int64_t within(int64_t ns, int64_t least_ns, int64_t most_ns)
{
    return ns < least_ns ? least_ns : ns > most_ns ? most_ns : ns;
}

static struct attempt attempt_in_hand(const struct isolate *isolate, int64_t ended_ns)
{
    const struct seat_task *seen = &isolate->process.seat->tasks[isolate->ended];
    int64_t now_ns = clock_now_ns(), started_ns = atomic_load(&seen->started_ns);
    started_ns = within(started_ns, isolate->worker->clock.now_ns, now_ns);
    return (struct attempt){.started_ns = started_ns,
                            .ended_ns = within(ended_ns, started_ns, now_ns)};
}

/* Ends tasks that have succeeded, as far as they are known; not beyond the index. */
static void gather(struct isolate *isolate, uint32_t to)
{
    while (isolate->ended < to) {
        struct seat_task *seen = &isolate->process.seat->tasks[isolate->ended];
        if (atomic_load_explicit(&seen->phase, memory_order_acquire) != SEAT_SUCCEEDED)
            return;
        struct attempt attempt = attempt_in_hand(isolate, atomic_load(&seen->ended_ns));
        attempt.verdict = VERDICT_OK;
        attempt.reason = attempt.message = "";
        end_task(isolate, &attempt);
    }
}

/* Returns how many tasks of the batch are ours. */
static uint32_t limit_now(struct isolate *isolate)
{
    MUTEX_GUARD(&isolate->worker->lock);
    return isolate->limit;
}

static int64_t deadline_of(const struct task *task, int64_t started_ns)
{
    return task->timeout_ns > 0 ? clock_add_ns(started_ns, task->timeout_ns) : CLOCK_NEVER_NS;
}

static bool take_answer(struct isolate *isolate)
{
    struct frame_answer got;
    if (!frame_get_answer(isolate->process.frame.bytes, isolate->process.frame.length, &got) ||
        got.batch != isolate->batch || got.index >= limit_now(isolate))
        return false;
    gather(isolate, got.index);
    if (isolate->ended != got.index)
        return false;
    struct task *task = task_in_hand(isolate);
    struct attempt attempt = attempt_in_hand(isolate, got.ended_ns);
    const struct answer_asked asked = {.deadline_ns = deadline_of(task, attempt.started_ns),
                                       .timeout_ns = task->timeout_ns};
    answer_read(&got.answer, got.was_asked ? &asked : NULL, &isolate->text, &attempt);
    end_task(isolate, &attempt);
    return true;
}

/* ---- what the process says ---- */

static bool take_kept(struct isolate *isolate)
{
    struct frame_keep got;
    if (!frame_get_keep(isolate->process.frame.bytes, isolate->process.frame.length, &got))
        return false;
    if (got.batch != isolate->batch || got.index >= limit_now(isolate))
        return true; /* between two calls: nobody's */
    gather(isolate, got.index);
    if (isolate->ended != got.index)
        return false;
    mark_running(task_in_hand(isolate));
    outcome_log(isolate->worker->pool->executor->options.outcome, task_in_hand(isolate),
                got.bytes.bytes, got.bytes.length);
    return true;
}

static bool take_done(struct isolate *isolate)
{
    const struct buffer *frame = &isolate->process.frame;
    isolate->done = frame_get_done(frame->bytes, frame->length, &isolate->last) &&
                    isolate->last.batch == isolate->batch;
    if (isolate->done)
        gather(isolate, limit_now(isolate));
    return isolate->done && isolate->ended == limit_now(isolate);
}

static bool take_said(struct isolate *isolate)
{
    const struct buffer *frame = &isolate->process.frame;
    const char *line;
    if (!frame_get_said(frame->bytes, frame->length, &line))
        return false;
    process_say(line);
    return true;
}

static bool take_frame(struct isolate *isolate)
{
    const struct buffer *frame = &isolate->process.frame;
    switch (frame_kind_of(frame->bytes, frame->length)) {
    case FRAME_ANSWER:
        return take_answer(isolate);
    case FRAME_KEEP:
        return take_kept(isolate);
    case FRAME_DONE:
        return take_done(isolate);
    case FRAME_SAID:
        return take_said(isolate);
    case FRAME_SETUP:
    case FRAME_TASKS:
    case FRAME_CANCEL:
    case FRAME_READY:
    case FRAME_REFUSED:
        break;
    }
    return false;
}

/* Takes all that has come; false: no more will, or it makes no sense. */
static bool hear(struct isolate *isolate)
{
    while (!isolate->done && !isolate->broken) {
        switch (channel_receive(isolate->process.work_fd, &isolate->process.frame, MSG_DONTWAIT)) {
        case CHANNEL_OK:
            isolate->broken = !take_frame(isolate);
            break;
        case CHANNEL_EMPTY:
            return true;
        case CHANNEL_CLOSED:
            return false;
        case CHANNEL_BROKEN:
            isolate->broken = true;
            break;
        }
    }
    return !isolate->broken;
}

/* ---- the call in progress ---- */

/* The call takes long: the pool must not count on this worker, nor its batch wait for it. */
static void free_the_rest(struct isolate *isolate)
{
    struct worker *worker = isolate->worker;
    struct task_list rest;
    task_list_init(&rest);
    struct group *group = worker_take_rest(worker, NULL, NULL, &rest);
    isolate->is_held_up = true;
    pool_mark_slow(worker->pool, worker);
    if (rest.count > 0)
        group_put_back(group, &rest);
    pool_wake(worker->pool, CLOCK_NEVER_NS);
}

/* Somebody wants the task in hand to end. */
static bool is_cancelled(struct isolate *isolate)
{
    struct worker *worker = isolate->worker;
    if (atomic_load(&worker->pool->executor->cancelling))
        return true;
    MUTEX_GUARD(&worker->lock);
    bool cancelled = worker->cancels != NULL && worker->cancels == task_in_hand(isolate);
    if (cancelled || isolate_task_in_hand(isolate) != worker->cancels)
        worker->cancels = NULL;
    return cancelled;
}

static void ask_to_end(struct isolate *isolate, int64_t now_ns)
{
    CLEANUP(buffer_fini) struct buffer frame = BUFFER_EMPTY;
    frame_put_cancel(&frame, isolate->batch, isolate->ended);
    channel_send(isolate->process.control_fd, &frame, MSG_DONTWAIT);
    isolate->was_asked = true;
    isolate->asked_ns = now_ns;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* Looks after the call in progress. Returns when it wants to look again. */
static int64_t mind_call(struct isolate *isolate, int64_t now_ns)
{
    struct task *task = task_in_hand(isolate);
    int64_t started_ns = attempt_in_hand(isolate, now_ns).started_ns;
    int64_t deadline_ns = deadline_of(task, started_ns), long_ns = started_ns + WATCH_TICK_NS;
    int64_t grace_ns = isolate->worker->pool->executor->options.limits.grace_ns;
    if (!isolate->is_held_up && now_ns >= long_ns) {
        mark_running(task);
        free_the_rest(isolate);
    }
    if (!isolate->was_asked && (now_ns >= deadline_ns || is_cancelled(isolate)))
        ask_to_end(isolate, now_ns);
    int64_t killed_ns =
        isolate->was_asked ? clock_add_ns(isolate->asked_ns, grace_ns) : CLOCK_NEVER_NS;
    isolate->was_killed = now_ns >= killed_ns;
    int64_t next_ns = isolate->was_asked ? killed_ns : deadline_ns;
    return isolate->is_held_up ? next_ns : earlier(next_ns, long_ns);
}

/* It is about to begin the next call, or to say that it is done, which takes no time. */
static int64_t mind_pause(struct isolate *isolate, int64_t now_ns)
{
    if (isolate->paused_ns == 0)
        isolate->paused_ns = now_ns;
    isolate->broken = now_ns - isolate->paused_ns >= PAUSE_MOST_NS;
    return isolate->broken ? 0 : now_ns + WATCH_TICK_NS;
}

/* Returns when to look again; 0: the process is to be killed. */
static int64_t mind(struct isolate *isolate, int64_t now_ns)
{
    mutex_lock(&isolate->worker->lock);
    bool in_hand = is_in_hand(isolate);
    mutex_unlock(&isolate->worker->lock);
    if (!in_hand)
        return mind_pause(isolate, now_ns);
    isolate->paused_ns = 0;
    int64_t next_ns = mind_call(isolate, now_ns);
    return isolate->was_killed ? 0 : next_ns;
}

/* Sleeps until something comes or it is time. */
static void wait_until(const struct isolate *isolate, int64_t until_ns)
{
    struct pollfd fds[] = {
        {.fd = isolate->process.work_fd, .events = POLLIN},
        {.fd = isolate->wake_fd, .events = POLLIN},
        {.fd = isolate->process.child.pidfd, .events = POLLIN},
    };
    int64_t left_ns = until_ns - clock_now_ns();
    if (left_ns < 0)
        left_ns = 0;
    const struct timespec span = {.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
    eventfd_t count;
    ppoll(fds, 3, until_ns == CLOCK_NEVER_NS ? NULL : &span, NULL);
    if (fds[1].revents != 0)
        eventfd_read(isolate->wake_fd, &count);
}

static bool is_dead(const struct isolate *isolate)
{
    struct pollfd fd = {.fd = isolate->process.child.pidfd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

/* Until the batch is through (true) or the process is to be taken for dead. What has ended meanwhile
 * does not wait for a long call. */
static bool attend(struct isolate *isolate)
{
    struct outcome *outcome = isolate->worker->pool->executor->options.outcome;
    for (;;) {
        bool dead = is_dead(isolate); /* before: what it has said is heard in any case */
        if (!hear(isolate))
            return false;
        if (isolate->done)
            return true;
        gather(isolate, limit_now(isolate));
        int64_t next_ns = mind(isolate, clock_now_ns());
        if (dead || next_ns == 0)
            return false;
        if (isolate->is_held_up)
            outcome_flush(outcome, isolate->worker->tally);
        wait_until(isolate, next_ns);
    }
}

/* ---- when a process dies ---- */

static void put_back(struct isolate *isolate, struct group *group)
{
    struct task_list rest;
    task_list_init(&rest);
    mutex_lock(&isolate->worker->lock);
    for (uint32_t i = isolate->ended; i < isolate->limit; i++)
        task_list_push(&rest, isolate->worker->batch[i]);
    isolate->limit = isolate->ended;
    atomic_store(&isolate->process.seat->next, SEAT_TAKEN);
    mutex_unlock(&isolate->worker->lock);
    if (rest.count > 0)
        group_put_back(group, &rest);
}

/* The task in hand has to answer for it. */
static void charge(struct isolate *isolate, const struct child_end *end)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    struct attempt attempt = attempt_in_hand(isolate, clock_now_ns());
    const struct task *task = task_in_hand(isolate);
    const struct death death = {
        .end = *end,
        .process = &isolate->process,
        .copy = isolate->worker->pool->generation->copy,
        .memory_most = isolate->memory_most,
        .was_killed = isolate->was_killed,
        .was_broken = isolate->broken,
        .is_late = isolate->asked_ns >= deadline_of(task, attempt.started_ns),
    };
    death_describe(&death, &text, &attempt);
    end_task(isolate, &attempt);
}

/* One that has closed its end is about to go, as a rule. */
static void end_process(struct isolate *isolate, struct child_end *end)
{
    struct process *process = &isolate->process;
    bool is_ours = isolate->was_killed || isolate->broken;
    if (!is_ours && process_await(process, clock_now_ns() + LEAVE_NS))
        isolate->broken = false;
    else
        isolate->broken = !isolate->was_killed;
    process_kill(process, end);
}

static void bury(struct isolate *isolate, struct group *group)
{
    struct child_end end;
    end_process(isolate, &end);
    hear(isolate);
    uint32_t limit = limit_now(isolate);
    gather(isolate, limit);
    if (isolate->ended < limit && (is_in_hand(isolate) || ++isolate->deaths >= DEATHS_MOST))
        charge(isolate, &end);
    put_back(isolate, group);
    process_drop(&isolate->process);
    isolate->served = 0;
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
    mark_running(task);
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

/* Takes the batch into its own hands: nobody else takes of it from here on until it is sent. Returns how many
 * tasks it is. */
static uint32_t take_batch(struct isolate *isolate)
{
    struct worker *worker = isolate->worker;
    MUTEX_GUARD(&worker->lock);
    worker->taken_at = atomic_exchange(&worker->next, BATCH_TAKEN);
    return worker->taken_at == 0 ? worker->batch_count : 0;
}

/* Writes the frame of those that may start, which stand in front of the batch then. Returns how many
 * they are. */
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
    isolate->ended = 0;
    isolate->limit = count;
    isolate->done = isolate->was_asked = isolate->was_killed = isolate->is_held_up = false;
    isolate->asked_ns = isolate->paused_ns = 0;
    isolate->job_key = worker->grant.job->store_key;
    worker->is_isolated = true;
    record(isolate);
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
        (is_used_up || isolate->memory_most != how->memory_most_bytes || is_dead(isolate)))
        process_stop(process, clock_now_ns() + LEAVE_NS);
    return process_runs(process) || start_process(isolate, how->memory_most_bytes, error);
}

/* The first task has to answer for it, so that nothing is tried for ever; the others go back. */
static void fail_start(struct isolate *isolate, struct group *group, uint32_t count,
                       const struct error *error)
{
    struct worker *worker = isolate->worker;
    struct task_list rest;
    task_list_init(&rest);
    refuse(isolate, worker->batch[0], VERDICT_FAILED, "worker_start", error->message);
    for (uint32_t i = 1; i < count; i++)
        task_list_push(&rest, worker->batch[i]);
    if (rest.count > 0)
        group_put_back(group, &rest);
    wait_until(isolate, clock_now_ns() + START_PAUSE_NS);
}

/* A process that has grown, or in which threads were left behind, is not used again. */
static void see_off(struct isolate *isolate)
{
    bool is_large =
        isolate->memory_most > 0 && isolate->last.resident_bytes > isolate->memory_most / 4 * 3;
    if (is_large || isolate->last.has_strays)
        process_stop(&isolate->process, clock_now_ns() + LEAVE_NS);
}

static void run_in_process(struct isolate *isolate, struct group *group, uint32_t count)
{
    struct worker *worker = isolate->worker;
    isolate->ran_ns = 0;
    open_batch(isolate, count);
    bool sent = channel_send(isolate->process.work_fd, &isolate->frame, 0) == CHANNEL_OK;
    if (sent && attend(isolate))
        see_off(isolate);
    else
        bury(isolate, group);
    if (isolate->ended > 0)
        meter_add(worker->pool->executor->meter, worker->type, isolate->ran_ns, isolate->ended);
    close_batch(isolate);
}

void isolate_run(struct isolate *isolate, struct group *group)
{
    struct error error;
    clock_read(&isolate->worker->clock);
    uint32_t count = take_batch(isolate);
    if (count == 0)
        return;
    if (!ready_process(isolate, group, &error)) {
        fail_start(isolate, group, count, &error);
        return;
    }
    count = pack_batch(isolate, count);
    if (count > 0)
        run_in_process(isolate, group, count);
}
