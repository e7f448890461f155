/* dispatcher: threads that take tasks out of inbound, ask router and scheduler, and push them into
 * groups. Never wait for a group. While all of them wait, a reader that pushes a batch does their
 * work. Created by the host. */
#pragma once

#include <stddef.h>

#include "accept/inbound.h"
#include "dispatch/router.h"
#include "dispatch/scheduler.h"
#include "support/error.h"

struct dispatchers;

struct dispatcher_options {
    struct inbound *inbound;
    struct router *router;
    const struct scheduler *scheduler; /* at first */
    void *context;
    /* Takes tasks (READY) that are not to run, since their job or the host stops. Dispatcher
     * thread, or one that pushes. */
    void (*drop)(void *context, struct task_list *tasks);
    /* A task was parked. Dispatcher thread, or one that pushes. */
    void (*parked)(void *context);
};

/* Starts count threads; NULL with a message. */
struct dispatchers *dispatchers_start(const struct dispatcher_options *options, size_t count,
                                      struct error *error);

/* Has another scheduler asked from the next plan of each dispatcher on; what was planned before
 * stays where it is. Any thread; does not block. */
void dispatchers_set_scheduler(struct dispatchers *dispatchers, const struct scheduler *scheduler);

/* Joins the threads after inbound was closed, when all that was in it is handed on; clears the
 * pointer; accepts NULL. */
void dispatchers_stop(struct dispatchers **dispatchers);
