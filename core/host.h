/* host: the stages wired together, and the control loop. Created and run by the main thread,
 * everything else happens on the threads that it starts (table in core/README.md). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job.h"
#include "accept/reader.h"
#include "config.h"
#include "outcome/outcome.h"
#include "plugin/registry.h"
#include "support/error.h"

struct host;

struct host_handlers {
    void *context;
    /* A task has ended (see outcome_hooks.ended): on any thread, several at once. wants_all: also
     * those that succeeded, and attempts that are followed by another. NULL: nobody listens. */
    void (*ended)(void *context, const struct outcome_record *record);
    bool wants_all;
    /* A signal stops the host: whoever takes note of what ends is not to be waited for any longer
     * than until_ns. Main thread, once a signal; NULL: nobody. */
    void (*stops)(void *context, int64_t until_ns);
    /* Main thread, every tick_ns while the host runs, and once at the end; NULL or 0: never. */
    void (*tick)(void *context, int64_t now_ns);
    int64_t tick_ns;
    /* Main thread, at SIGHUP: the configuration is to be read again; see host_apply. NULL: it is
     * not. */
    void (*reread)(void *context);
};

/* How host_run came to its end. */
enum host_end {
    HOST_FINISHED,    /* every job is over */
    HOST_INVALID,     /* a job file was wrong: nothing ran (streamed: nothing after the error) */
    HOST_INTERRUPTED, /* SIGINT */
    HOST_TERMINATED,  /* SIGTERM, or the terminal went away */
    HOST_LOST,        /* it lost something that it needs: the message says what */
};

/* Makes the stages for one mode of reading and starts their threads; signals are blocked from here
 * on. Configuration and registry are borrowed until host_destroy. NULL with a message if the host
 * cannot start. */
struct host *host_create(const struct config *config, struct registry *registry, enum job_mode mode,
                         const struct host_handlers *handlers, struct error *error);

/* Reads the inputs on a reader thread, each document into a job, runs their tasks, handles signals and deadlines, and returns when all is over. First
 * SIGINT or SIGTERM: nothing new starts, running calls may finish within the grace period. Second:
 * they are cancelled. Once a host. */
enum host_end host_run(struct host *host, struct reader_input *inputs, size_t count,
                       struct error *error);

/* Takes over what is live in the configuration, which its owner has changed (config_change.h); with
 * effect at once. Within handlers.reread. */
void host_apply(struct host *host);

/* Joins all threads when the run is over. False if some will not end: calls that are stuck, a
 * reader whose input blocks although it said that it would not, a plugin that hangs at the end of a
 * worker beyond the grace period. Then the process has to leave by _exit without host_destroy. Main
 * thread. */
bool host_stop(struct host *host);

/* Returns the job that the host took up next after another one (NULL: the first of all), or NULL if
 * that is the last so far. It is the host's until host_destroy. Any thread. */
const struct job *host_next_job(struct host *host, const struct job *job);

/* Returns whether the reader is still at work, which after host_run it seldom is: then the inputs,
 * and jobs of which nothing was submitted, are its own. Main thread. */
bool host_reading(const struct host *host);

/* Returns how many calls are in progress. Main thread. */
uint32_t host_running(const struct host *host);

/* Frees everything but the registry after host_stop; clears the pointer; accepts NULL. */
void host_destroy(struct host **host);
