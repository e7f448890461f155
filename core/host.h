/* host: the stages wired together, and the control loop. Created and run by the main thread,
 * everything else happens on the threads that it starts (table in core/README.md). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job.h"
#include "accept/reader.h"
#include "accept/submission.h"
#include "config.h"
#include "isolation.h"
#include "outcome/outcome.h"
#include "plugin/registry.h"
#include "stages.h"
#include "support/error.h"
#include "support/loop.h"

struct host;

/* Whether a run takes what has ended in earlier runs with the same store as ended. */
enum host_resume {
    HOST_BEGINS_ANEW,
    HOST_RESUMES,         /* a job file that has changed since is an error */
    HOST_RESUMES_CHANGED, /* its tasks are matched by their ids all the same */
};

struct host_handlers {
    void *context;
    /* A task has ended (see outcome_hooks.ended): on any thread, several at once. wants_all: also
     * those that succeeded, and attempts that are followed by another. NULL: nobody listens. */
    void (*ended)(void *context, const struct outcome_record *record);
    bool wants_all;
    bool measures_cpu;          /* how busy the groups are, by heartbeat */
    const char *store_backend;  /* NULL: tasks are in memory */
    enum host_resume resume;    /* of a run */
    struct store_options store; /* how much is kept of what has ended */
    int monitor;                /* the process that watches over this one; 0: there is none */
    const char *flight_path;    /* of a daemon's flight recorder; NULL: it has none */
    const char *isolated_path;  /* of a daemon's isolated types; NULL: they are not kept */
    /* A signal stops the host: whoever takes note of what ends is not to be waited for any longer
     * than until_ns. Main thread, once a signal; NULL: nobody. */
    void (*stops)(void *context, int64_t until_ns);
    /* Main thread, every tick_ns while the host runs, and once at the end; NULL or 0: never. */
    void (*tick)(void *context, int64_t now_ns);
    int64_t tick_ns;
    /* Main thread, at a reload: the configuration is to be read again; see host_apply. report:
     * where who asked for it wants to hear of it (host_reload.report), or NULL. NULL: it is not
     * read. */
    void (*reread)(void *context, void *report);
    /* A job of a daemon is over; it is there until this returns. Any thread. NULL: nobody
     * listens. */
    void (*job_over)(void *context, const struct job *job);
};

/* How host_run came to its end. */
enum host_end {
    HOST_FINISHED,    /* every job is over, or host_ask_stop has stopped it */
    HOST_INVALID,     /* a job file was wrong: nothing ran (streamed: nothing after the error) */
    HOST_INTERRUPTED, /* SIGINT */
    HOST_TERMINATED,  /* SIGTERM, or the terminal went away */
    HOST_RESTARTS,    /* a call does not return: the next host goes on (on_stuck) */
    HOST_LOST,        /* it lost something that it needs: the message says what */
};

/* Makes the stages for one mode of reading and starts their threads; signals are blocked from here
 * on. Configuration and registry are borrowed until host_destroy. NULL with a message if the host
 * cannot start. */
struct host *host_create(const struct config *config, struct registry *registry, enum job_mode mode,
                         const struct host_handlers *handlers, struct error *error);

/* Reads the inputs on a reader thread, each document into a job, runs their tasks, handles signals
 * and deadlines, and returns when all is over. First SIGINT or SIGTERM: nothing new starts, running
 * calls may finish within the grace period. Second: they are cancelled. Once a host. */
enum host_end host_run(struct host *host, struct reader_input *inputs, size_t count,
                       struct error *error);

/* ---- a host that goes on ---- */

/* Begins to take submissions; false with a message. Once a host, instead of host_run. */
bool host_open(struct host *host, struct error *error);

/* Serves until it is stopped, by a signal or host_ask_stop, and all is over or given up. */
enum host_end host_serve(struct host *host);

/* Returns why a host ends that has begun to. Control loop. */
enum host_end host_ends(const struct host *host);

/* Takes a submission until it is answered. Any thread; does not wait. */
void host_submit(struct host *host, struct submission *submission);

/* Admits or refuses what is in a gathering and not answered yet. Its thread; does not wait. */
void host_admit(struct host *host, struct gathering *gathering);

/* Has what was admitted of a gathering enter. Its thread. */
void host_enter(struct host *host, struct gathering *gathering);

/* Returns the job with an id, for job_let_go, or the one of a single task that is tried again
 * ("JOB:ID"); NULL if there is none, or it is over. Any thread. */
struct job *host_find_job(struct host *host, const char *id);

enum host_cancelled {
    HOST_CANCELS,
    HOST_CANCELS_UNWRITTEN, /* with a message: it would go on after a restart */
    HOST_HAS_NO_SUCH_JOB,   /* or it is over */
};

/* Cancels what is left of the job with an id, also of its tasks that are tried again, which takes
 * effect soon, and waits until the store has it in writing. Any thread that may wait for the
 * disk. */
enum host_cancelled host_cancel_job(struct host *host, const char *id, struct error *error);

/* Cancels one task of a job that the caller holds. Any thread; takes effect soon. */
void host_cancel_task(struct host *host, struct job *job, struct task *task);

/* What became of dead letters that were to be tried again. */
struct host_retried {
    uint64_t tasks;   /* are tried again */
    uint64_t left;    /* stay what they are */
    struct error why; /* of the first of these */
};

/* Takes up the dead letters of a query again; those stay whose type is gone, for which there is no
 * room, or no key, or that refer to results of tasks that are gone. False with a message if the
 * store fails: then some may have been taken up. Any thread; waits for the disk. */
bool host_retry(struct host *host, const struct store_query *query, struct host_retried *retried,
                struct error *error);

/* Somebody who asks for a reload; his until done is called. */
struct host_reload {
    struct host_reload *next; /* the host's */
    void *report;             /* for handlers.reread */
    /* Configuration and plugins were looked at again. Loader thread; does not block. NULL: the host
     * ends, and they may not have been. Main thread. */
    void (*done)(struct host_reload *reload, const struct registry_reloaded *reloaded);
};

/* Has configuration and plugins looked at again, as SIGHUP does. NULL: nobody wants to hear of its
 * end. Main thread. */
void host_reload(struct host *host, struct host_reload *reload);

/* Sums up what all reloads have done. Any thread. */
struct registry_reloaded host_reloads(struct host *host);

/* Has call->run called on the main thread; false if it runs no more. Any thread. */
bool host_call(struct host *host, struct loop_call *call);

/* Stops the host as SIGTERM does, but that its end is HOST_FINISHED: a second time cancels what
 * runs. Main thread. */
void host_ask_stop(struct host *host);

/* Returns the process that watches over this one; 0: there is none. Any thread. */
int host_monitor(const struct host *host);

/* Returns whether a type runs apart since tasks of it crashed, and why. Any thread. */
bool host_isolates(struct host *host, const char *type, struct isolation_facts *facts);

/* Returns the stages, for those who look at them. Any thread, each by its own rules. */
struct stages *host_stages(struct host *host);

/* Returns how many submissions were refused with an answer. Any thread. */
uint64_t host_refused(struct host *host, enum submission_answer answer);

/* Returns how many submissions were put aside in the store for want of room. Any thread. */
uint64_t host_delayed(struct host *host);

/* Returns how many tasks of these have no room yet. Any thread. */
uint64_t host_aside_tasks(struct host *host);

/* Returns how many jobs are not over. Any thread. */
size_t host_jobs(struct host *host);

/* Takes over what is live in the configuration, which its owner has changed (config_change.h), and
 * how often there is a tick from now on; with effect at once. Within handlers.reread. */
void host_apply(struct host *host, int64_t tick_ns);

/* Joins all threads when the run is over. False if some will not end: calls that are stuck, a
 * reader whose input blocks although it said that it would not, a plugin that hangs at the end of a
 * worker beyond the grace period. Then the process has to leave by _exit without host_destroy.
 * Either way what was said to the store is written, unless it fails. Once or more. Main thread. */
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
