/* The time of what a worker process is at: a call is asked to end, its process killed, and what
 * waits behind it goes back. */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "execute/isolate/channel.h"
#include "execute/isolate/internal.h"
#include "support/cleanup.h"

/* A process that neither makes a call nor says that it is through for so long is taken for lost. */
#define PAUSE_MOST_NS (5 * NS_PER_S)

/* The call takes long: the pool must not count on this worker, nor its batch wait for it. */
static void free_the_rest(struct isolate *isolate)
{
    struct worker *worker = isolate->worker;
    struct task_list rest;
    task_list_init(&rest);
    worker_take_rest(worker, NULL, NULL, &rest);
    isolate->is_held_up = true;
    pool_mark_slow(worker->pool, worker);
    if (rest.count > 0)
        worker_return_rest(worker, &rest);
    pool_wake(worker->pool, CLOCK_NEVER_NS);
}

/* Somebody wants the task in hand to end. */
static bool is_cancelled(struct isolate *isolate)
{
    struct worker *worker = isolate->worker;
    if (atomic_load(&worker->pool->executor->cancelling))
        return true;
    MUTEX_GUARD(&worker->lock);
    bool cancelled = worker->cancels != NULL && worker->cancels == isolate_current(isolate);
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

/* Looks after the call in progress. Returns when it wants to look again. */
static int64_t mind_call(struct isolate *isolate, int64_t now_ns)
{
    struct task *task = isolate_current(isolate);
    int64_t started_ns = isolate_attempt(isolate, now_ns).started_ns;
    int64_t deadline_ns = isolate_deadline_ns(task, started_ns),
            long_ns = started_ns + WATCH_TICK_NS;
    int64_t grace_ns = isolate->worker->pool->executor->options.limits.grace_ns;
    if (!isolate->is_held_up && now_ns >= long_ns) {
        isolate_mark_running(task);
        free_the_rest(isolate);
    }
    if (!isolate->was_asked && (now_ns >= deadline_ns || is_cancelled(isolate)))
        ask_to_end(isolate, now_ns);
    int64_t killed_ns =
        isolate->was_asked ? clock_add_ns(isolate->asked_ns, grace_ns) : CLOCK_NEVER_NS;
    isolate->was_killed = now_ns >= killed_ns;
    int64_t next_ns = isolate->was_asked ? killed_ns : deadline_ns;
    return isolate->is_held_up ? next_ns : isolate_earlier_ns(next_ns, long_ns);
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
    if (!isolate_hold(isolate))
        return mind_pause(isolate, now_ns);
    isolate->paused_ns = 0;
    if (isolate->seen_ns == 0)
        isolate->seen_ns = now_ns;
    int64_t next_ns = mind_call(isolate, now_ns);
    return isolate->was_killed ? 0 : next_ns;
}

/* Sleeps until something comes or it is time. */
void isolate_wait(const struct isolate *isolate, int64_t until_ns)
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

bool isolate_is_dead(const struct isolate *isolate)
{
    struct pollfd fd = {.fd = isolate->process.child.pidfd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

/* Until the batch is through (true) or the process is to be taken for dead. What has ended
 * meanwhile does not wait for a long call. */
bool isolate_attend(struct isolate *isolate)
{
    struct outcome *outcome = isolate->worker->pool->executor->options.outcome;
    for (;;) {
        bool dead = isolate_is_dead(isolate); /* before: what it has said is heard in any case */
        if (!isolate_hear(isolate))
            return false;
        if (isolate->done)
            return true;
        isolate_gather(isolate, isolate_limit(isolate));
        int64_t next_ns = mind(isolate, clock_now_ns());
        if (dead || next_ns == 0)
            return false;
        if (isolate->is_held_up)
            outcome_flush(outcome, isolate->worker->tally);
        isolate_wait(isolate, next_ns);
    }
}
