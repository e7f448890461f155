/* host: the stages wired together and the control loop. Created and run by the main
 * thread, everything else happens on the threads that it starts (table in core/README.md). */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "accept/job.h"
#include "config.h"
#include "outcome/outcome.h"
#include "support/diagnostic.h"
#include "support/error.h"

struct host;

struct host_handlers {
    void *context;
    /* A task has ended (see outcome_hooks.ended): on any thread, several at once. wants_all: also
     * those that succeeded. NULL: nobody listens. */
    void (*ended)(void *context, const struct outcome_record *record);
    bool wants_all;
    /* Main thread, every tick_ns while the host runs, and once at the end; NULL or 0: never. */
    void (*tick)(void *context, int64_t now_ns);
    int64_t tick_ns;
};

/* How host_run came to its end. */
enum host_end {
    HOST_FINISHED,    /* every job is over */
    HOST_INVALID,     /* a job file was wrong: nothing ran (streamed: nothing after the error) */
    HOST_INTERRUPTED, /* SIGINT */
    HOST_TERMINATED,  /* SIGTERM, or the terminal went away */
};

/* What to read: one job file. */
struct host_input {
    const char *file; /* as the user named it; "-" is standard input */
    int fd;           /* open; the caller closes it after host_destroy */
    /* filled by host_run; belongs to the host until host_destroy; NULL if it was not reached */
    struct job *job;
    struct diagnostics diagnostics; /* filled by host_run; main prints it */
};

/* Opens the registry (scans the plugin folders, runs no plugin code), makes the stages and starts
 * their threads; signals are blocked from here on. NULL with a message if the host cannot start. */
struct host *host_create(const struct config *config, const struct host_handlers *handlers,
                         struct error *error);

/* Reads the inputs on a reader thread (JOB_CHECKED: all are checked before any task runs), runs
 * their tasks, handles signals and deadlines, and returns when all is over. First SIGINT or
 * SIGTERM: nothing new starts, running calls may finish within the grace period; second: they are
 * cancelled. */
enum host_end host_run(struct host *host, struct host_input *inputs, size_t count,
                       enum job_mode mode);

/* Returns how many calls are stuck: their threads cannot be joined, so the process has to leave by
 * _exit without host_destroy. */
uint32_t host_stuck(const struct host *host);

/* Returns how many calls are in progress. Main thread. */
uint32_t host_running(const struct host *host);

/* Stops all threads, unloads the plugins, frees everything; clears the pointer; accepts NULL. */
void host_destroy(struct host **host);
