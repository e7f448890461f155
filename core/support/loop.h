/* loop: the control loop of one thread over epoll: descriptors, signals (signalfd), one deadline
 * (timerfd), a wake-up and calls from other threads (eventfd). Created and run by the main thread;
 * only loop_wake and loop_call may be called elsewhere. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>

#include "support/error.h"

struct loop;

struct loop_handlers {
    void *context;
    void (*on_signal)(void *context, const struct signalfd_siginfo *info); /* with si_code */
    void (*on_deadline)(void *context, int64_t now_ns); /* it has passed and is cleared before */
    void (*on_wake)(void *context); /* at least one loop_wake since the last call */
};

struct loop_watch {
    int fd;
    uint32_t events; /* of epoll */
    void (*handler)(void *context, uint32_t events);
    void *context;
};

/* What another thread wants done on the loop's. */
struct loop_call {
    struct loop_call *next;              /* the loop's */
    void (*run)(struct loop_call *call); /* may free it */
};

/* Returns a loop whose signals (blocked in the calling thread from here on) come to on_signal; NULL
 * with a message if the system refuses. Call before any thread starts. */
struct loop *loop_create(const sigset_t *signals, const struct loop_handlers *handlers,
                         struct error *error);

/* Closes everything and clears the pointer; accepts NULL. */
void loop_destroy(struct loop **loop);

/* Calls handler(context, events) on the loop's thread when fd has one of the epoll events; the
 * watch is copied, the fd stays the caller's. False with a message if the system refuses. Loop
 * thread. */
bool loop_add(struct loop *loop, const struct loop_watch *watch, struct error *error);

/* Forgets fd; call before it is closed. No handler of it is called any more. Loop thread. */
void loop_remove(struct loop *loop, int fd);

/* Sets the one deadline of the monotonic clock at which on_deadline is called; CLOCK_NEVER_NS
 * clears it. Loop thread. */
void loop_set_deadline(struct loop *loop, int64_t deadline_ns);

/* Has on_wake called soon; several calls may become one. Any thread; does not block. */
void loop_wake(struct loop *loop);

/* Has call->run(call) called on the loop's thread, after those that were asked for before; false
 * if the loop runs no more: it is not called. Any thread; does not block. */
bool loop_call(struct loop *loop, struct loop_call *call);

/* Makes the calls that are left; from now on loop_call answers false. Loop thread. */
void loop_end_calls(struct loop *loop);

/* Handles events until loop_stop was called. */
void loop_run(struct loop *loop);

/* Makes loop_run return after the handler in hand. Loop thread. */
void loop_stop(struct loop *loop);
