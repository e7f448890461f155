#include "support/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/thread.h"

enum { EVENTS_AT_ONCE = 16 };

struct watched {
    struct watched *next;
    struct loop_watch watch; /* without handler: removed, freed after the events in hand */
};

struct loop {
    struct loop_handlers handlers;
    int epoll_fd;
    int signal_fd;
    int timer_fd;
    int wake_fd;
    bool running;
    struct watched *watched;
    struct mutex lock;
    /* guarded by lock */
    struct loop_call *calls, **calls_tail;
    bool takes_no_calls;
};

static void on_signal_ready(void *context, uint32_t events)
{
    struct loop *loop = context;
    struct signalfd_siginfo info;

    (void)events;
    while (read(loop->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        loop->handlers.on_signal(loop->handlers.context, &info);
}

static void on_timer_ready(void *context, uint32_t events)
{
    struct loop *loop = context;
    uint64_t passed;

    (void)events;
    /* Nothing to read: the deadline was moved between the event and now. */
    if (read(loop->timer_fd, &passed, sizeof(passed)) == (ssize_t)sizeof(passed))
        loop->handlers.on_deadline(loop->handlers.context, clock_now_ns());
}

/* Lock held. */
static struct loop_call *calls_take(struct loop *loop)
{
    struct loop_call *calls = loop->calls;

    loop->calls = NULL;
    loop->calls_tail = &loop->calls;
    return calls;
}

static void calls_make(struct loop_call *call)
{
    for (struct loop_call *next; call != NULL; call = next) {
        next = call->next;
        call->run(call);
    }
}

static void on_wake_ready(void *context, uint32_t events)
{
    struct loop *loop = context;
    uint64_t wakes;

    (void)events;
    if (read(loop->wake_fd, &wakes, sizeof(wakes)) != (ssize_t)sizeof(wakes))
        return;
    mutex_lock(&loop->lock);
    struct loop_call *calls = calls_take(loop);
    mutex_unlock(&loop->lock);
    calls_make(calls);
    loop->handlers.on_wake(loop->handlers.context);
}

static bool loop_open(struct loop *loop, const sigset_t *signals, struct error *error)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->signal_fd = signalfd(-1, signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (loop->epoll_fd < 0 || loop->timer_fd < 0 || loop->wake_fd < 0 || loop->signal_fd < 0)
        return error_errno(error, "loop", "cannot make the control loop");

    const struct loop_watch own[] = {
        {loop->signal_fd, EPOLLIN, on_signal_ready, loop},
        {loop->timer_fd, EPOLLIN, on_timer_ready, loop},
        {loop->wake_fd, EPOLLIN, on_wake_ready, loop},
    };
    return loop_add(loop, &own[0], error) && loop_add(loop, &own[1], error) &&
           loop_add(loop, &own[2], error);
}

struct loop *loop_create(const sigset_t *signals, const struct loop_handlers *handlers,
                         struct error *error)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL)
        abort();
    loop->handlers = *handlers;
    loop->calls_tail = &loop->calls;
    mutex_init(&loop->lock);
    loop->epoll_fd = loop->signal_fd = loop->timer_fd = loop->wake_fd = -1;
    if (!loop_open(loop, signals, error)) {
        loop_destroy(&loop);
        return NULL;
    }
    sigprocmask(SIG_BLOCK, signals, NULL);
    return loop;
}

static void close_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void loop_destroy(struct loop **loop_to_clear)
{
    struct loop *loop = *loop_to_clear;

    if (loop == NULL)
        return;
    while (loop->watched != NULL) {
        struct watched *watched = loop->watched;
        loop->watched = watched->next;
        free(watched);
    }
    close_open(loop->epoll_fd);
    close_open(loop->signal_fd);
    close_open(loop->timer_fd);
    close_open(loop->wake_fd);
    assert(loop->calls == NULL);
    mutex_fini(&loop->lock);
    free(loop);
    *loop_to_clear = NULL;
}

bool loop_add(struct loop *loop, const struct loop_watch *watch, struct error *error)
{
    struct watched *watched = malloc(sizeof(*watched));

    if (watched == NULL)
        abort();
    *watched = (struct watched){.next = loop->watched, .watch = *watch};
    struct epoll_event event = {.events = watch->events, .data.ptr = watched};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) != 0) {
        error_errno(error, "loop", "cannot watch descriptor %d", watch->fd);
        free(watched);
        return false;
    }
    loop->watched = watched;
    return true;
}

void loop_remove(struct loop *loop, int fd)
{
    for (struct watched *watched = loop->watched; watched != NULL; watched = watched->next)
        if (watched->watch.fd == fd && watched->watch.handler != NULL) {
            epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
            watched->watch.handler = NULL;
            return;
        }
}

/* Only after the events in hand, one of which may still point to a removed one. */
static void free_removed(struct loop *loop)
{
    struct watched **link = &loop->watched;

    while (*link != NULL) {
        struct watched *watched = *link;
        if (watched->watch.handler == NULL) {
            *link = watched->next;
            free(watched);
        } else {
            link = &watched->next;
        }
    }
}

void loop_set_deadline(struct loop *loop, int64_t deadline_ns)
{
    struct itimerspec timer = {0}; /* all zero: off */

    if (deadline_ns != CLOCK_NEVER_NS) {
        if (deadline_ns < 1)
            deadline_ns = 1;
        timer.it_value.tv_sec = deadline_ns / NS_PER_S;
        timer.it_value.tv_nsec = deadline_ns % NS_PER_S;
    }
    if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL) != 0)
        abort();
}

void loop_wake(struct loop *loop)
{
    uint64_t one = 1;

    /* It can only fail because 2^64 - 2 wakes are unread, and then one is due anyway. */
    ssize_t written = write(loop->wake_fd, &one, sizeof(one));
    (void)written;
}

bool loop_call(struct loop *loop, struct loop_call *call)
{
    mutex_lock(&loop->lock);
    bool taken = !loop->takes_no_calls;
    if (taken) {
        call->next = NULL;
        *loop->calls_tail = call;
        loop->calls_tail = &call->next;
    }
    mutex_unlock(&loop->lock);
    if (taken)
        loop_wake(loop);
    return taken;
}

void loop_end_calls(struct loop *loop)
{
    mutex_lock(&loop->lock);
    loop->takes_no_calls = true;
    struct loop_call *calls = calls_take(loop);
    mutex_unlock(&loop->lock);
    calls_make(calls);
}

void loop_run(struct loop *loop)
{
    struct epoll_event events[EVENTS_AT_ONCE];

    loop->running = true;
    while (loop->running) {
        int count = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, -1);
        assert(count >= 0 || errno == EINTR);
        for (int i = 0; i < count && loop->running; i++) {
            const struct loop_watch *watch = &((struct watched *)events[i].data.ptr)->watch;
            if (watch->handler != NULL)
                watch->handler(watch->context, events[i].events);
        }
        free_removed(loop);
    }
}

void loop_stop(struct loop *loop)
{
    loop->running = false;
}
