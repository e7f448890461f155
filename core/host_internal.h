/* host_internal: what the files of the host share. Included by nobody else. */
#pragma once

#include "accept/job_table.h"
#include "accept/submissions.h"
#include "host.h"
#include "isolation.h"
#include "stages.h"
#include "support/clock.h"
#include "support/loop.h"
#include "support/thread.h"

#define HOST_LEAVE_NS (NS_PER_S / 2) /* what a reader gets to see that it is interrupted */

/* Where the jobs of a host come from: the files of a run, or what is sent to a daemon. The control
 * loop calls all of it but job_over. */
struct host_source {
    /* A job is over and not touched any more by who says so. Any thread. */
    void (*job_over)(struct host *host, struct job *job);
    /* Nothing more is wanted of a job that has failed fast. */
    void (*job_stopped)(struct host *host, struct job *job);
    /* Stops all jobs and takes no more. */
    void (*stop)(struct host *host);
    /* Takes over what is live in the configuration. */
    void (*apply)(struct host *host);
    /* Looks after what is the source's own; returns when it wants to be called again. */
    int64_t (*tend)(struct host *host, int64_t now_ns);
    /* Returns whether what is parked has nothing to wait for. */
    bool (*gives_up_parked)(struct host *host);
    /* What has ended last could not be written down. */
    void (*lost)(struct host *host, const struct error *error);
    /* Returns whether the host is to end. */
    bool (*is_over)(struct host *host, int64_t now_ns);
};

/* The jobs of a run. */
struct host_run_jobs {
    struct reader *reader;
    struct past_jobs *past_jobs; /* immutable while it runs; NULL: it begins anew */
    struct cond may_begin;
    /* guarded by the host's lock */
    struct job_list begun;
    size_t over;       /* of them */
    bool stopping;     /* jobs that are begun now are not to run */
    bool waits;        /* the reader does, for another job to be over */
    struct error loss; /* what the run has lost; its message is empty: nothing */
};

/* What asks for a reload and has not heard of its end. */
struct host_asked {
    struct host_reload *first, **last;
};

struct cancel;

/* What was asked to end since the control loop last saw to that: one call and one walk over the
 * queues for all of it. */
struct host_cancelling {
    struct loop_call call; /* the loop's while something is asked */
    struct host *host;
    struct cancel *asked; /* guarded by the host's lock */
};

/* The jobs of a daemon. */
struct host_served {
    struct host_cancelling cancelling;
    struct submissions *submissions;
    struct job_table *table;
    int64_t pruned_ns; /* the control loop: when what is too old was forgotten last */
    int64_t sweep_ns;  /* the control loop: not before jobs that are over are looked at again */
    /* guarded by the host's lock */
    struct host_asked now, next; /* for the reload that is under way; for the one behind it */
    bool reloading;
    struct registry_reloaded reloads; /* of all reloads, summed up */
};

struct host {
    /* immutable while it runs */
    const struct config *config;
    struct host_handlers handlers;
    enum job_mode mode;
    struct registry *registry;
    struct loop *loop;
    struct stages stages;
    struct isolation *isolation;              /* of a daemon; NULL: a run has none */
    const struct host_source *_Atomic source; /* NULL: it does not run yet */
    struct mutex lock;
    /* guarded by lock */
    struct job *jobs_stopped;       /* have failed fast and are to be purged; held */
    struct generation **superseded; /* are to be drained */
    size_t superseded_count;
    struct host_run_jobs run;
    struct host_served served;
    /* the control loop */
    enum host_end end;
    int signals;
    int stop_signals[2]; /* of SIGINT and SIGTERM: sent by others; by the monitor */
    int64_t cancel_ns;   /* when running calls are to be cancelled; CLOCK_NEVER_NS: not at all */
    int64_t leave_ns;    /* after a signal: when a reader that is still at work is left behind */
    int64_t ticked_ns;   /* when the last tick was */
    bool stopped;        /* all threads are joined */
};

/* Begins or hastens the end, as a signal does. Control loop. */
void host_stop_starting(struct host *host, enum host_end end);

/* Runs the control loop to its end. */
void host_loop(struct host *host);

/* host_run.c: joins the reader. */
void host_run_join(struct host *host);

/* host_run.c: frees the jobs. */
void host_run_fini(struct host *host);

/* host_serve.c: returns whether jobs come by submission. Any thread. */
bool host_serves(const struct host *host);

/* host_reload.c: tells those who have asked for it that a reload is over. Loader thread. */
void host_reloaded(void *context, const struct registry_reloaded *reloaded);

/* host_reload.c: answers all who wait for a reload when the host has come to its end. */
void host_give_up_reloads(struct host *host);

/* host_cancel.c: makes it ready to be asked. */
void host_cancel_init(struct host *host);

/* host_serve.c: joins the reader of submissions. */
void host_serve_join(struct host *host);

/* Takes up the jobs that an earlier host has left in the store, before there are others; false with
 * a message if it cannot. Main thread; waits while the store reads and inbound is full. */
bool host_recover(struct host *host, struct error *error);

/* host_flight.c: says in the store which attempts an earlier host had in hand when it died, by its
 * flight recorder, whose place this host's takes. False with a message if the store fails. Before
 * host_recover takes tasks up. Main thread; waits for the disk. */
bool host_flight_recover(struct host *host, struct error *error);

/* host_claims.c: gives up the keys of tasks that are not there: a host that was killed may have
 * ended them and not have given their keys back. Main thread, before anything enters. */
bool host_sift_claims(struct host *host, struct error *error);

/* host_serve.c: frees the jobs. */
void host_serve_fini(struct host *host);
