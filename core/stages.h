/* stages: the way of a task, wired together: intake -> dispatch -> execute -> outcome, and what
 * flows backwards. Made by the host on the main thread, which also calls all functions here unless
 * one says otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/intake.h"
#include "accept/job.h"
#include "config.h"
#include "dispatch/router.h"
#include "execute/executor.h"
#include "outcome/outcome.h"
#include "plugin/registry.h"
#include "store/store.h"
#include "support/error.h"

struct stages_options {
    const struct config *config; /* borrowed */
    struct registry *registry;   /* borrowed */
    enum job_mode mode;
    /* Who listens to ended tasks: on any thread; NULL: nobody. wants_all: see
     * outcome_hooks.ended. */
    void *listener;
    void (*ended)(void *listener, const struct outcome_record *record);
    bool wants_all;
    bool measures_cpu; /* by heartbeat, even if no scheduler looks at it */
    const char *store_backend;
    struct store_options store; /* how much of what has ended is kept; its describe is set here */
    const char *flight_path;    /* where the flight recorder is; NULL: there is none */
    void *context;
    void (*wake)(void *context); /* there is something for the control loop to do; any thread */
    void (*job_over)(void *context, struct job *job);  /* any thread */
    void (*job_stops)(void *context, struct job *job); /* has failed fast: purge it; any thread */
    /* See outcome_hooks; any thread. */
    void (*suspect)(void *context, const struct task *task, const struct attempt *crash);
};

struct stages {
    /* immutable */
    struct stages_options options;
    struct router_group *groups; /* what the configuration says, for the router */
    struct store *store;
    struct figures *figures;
    struct chunk_pool chunks;
    struct room pending; /* tasks that are in the host */
    struct inbound *inbound;
    struct intake intake; /* for readers */
    struct admission *admission;
    struct executor *executor;
    struct router *router;
    struct dispatchers *dispatchers;
    struct delayed *delayed;
    struct outcome *outcome;
    struct feeder *feeder;
    /* the main thread */
    const struct scheduler *configured; /* as the configuration has it */
    /* atomic */
    _Atomic bool closed; /* nothing more is to start; written by the main thread */
    const struct scheduler *_Atomic scheduler; /* that is asked now; written by the main thread */
    _Atomic bool unparking;                    /* what is parked is to be tried again */
};

/* Makes all stages and starts their threads; false with a message, and nothing is left. */
bool stages_start(struct stages *stages, const struct stages_options *options, struct error *error);

/* Joins the threads, against the stream. No task is left, no call stuck. False if a worker has not
 * ended at the deadline. Jobs may be destroyed afterwards, and not before: a worker gives its
 * weight back after its last task has ended. */
bool stages_stop(struct stages *stages, int64_t deadline_ns);

/* Frees what stages_stop has left; all jobs are destroyed. */
void stages_fini(struct stages *stages);

/* Takes over what is live in the configuration, which has changed. Its groups are the same. */
void stages_apply(struct stages *stages);

/* Has another scheduler asked from now on, until the configuration's policy changes. */
void stages_set_scheduler(struct stages *stages, const struct scheduler *scheduler);

/* Measures how busy the groups are, if anybody looks at it; returns when it wants to be called
 * again. */
int64_t stages_heartbeat(struct stages *stages, int64_t now_ns);

/* Feeds in the delayed tasks that are due; returns when the next one will be. */
int64_t stages_release_delayed(struct stages *stages, int64_t now_ns);

/* Says that plugins or labels have changed: the next stages_unpark tries what is parked. Any
 * thread. */
void stages_routes_changed(struct stages *stages);

/* Has parked tasks routed anew, if anything has changed for them. */
void stages_unpark(struct stages *stages);

/* Ends all parked tasks as skipped if nothing else is left in the host. */
void stages_skip_parked(struct stages *stages);

/* Ends what is not to start of a job (NULL: of all jobs): job_stops was made to say so before. One
 * walk over all that waits, whatever it ends. */
void stages_purge(struct stages *stages, const struct job *job);

/* Ends tasks that waited for others and are cancelled (job_take_waiting). */
void stages_end_waiting(struct stages *stages, struct task_list *taken);

enum stages_room {
    STAGES_HAVE_ROOM,
    STAGES_ARE_FULL,  /* a group is */
    STAGES_TOO_SMALL, /* a group would be too small even if it were empty */
};

/* For whom places are wanted, and why there are none. */
struct stages_places {
    struct job *const *jobs; /* were read */
    size_t jobs_count;
    struct router_turn turn;
    char *refusal;
    size_t refusal_bytes;
};

/* Takes a place in the queue of a group for each task of all jobs, or for none: then with the
 * reason. Any thread. */
enum stages_room stages_reserve(struct stages *stages, const struct stages_places *places);

/* Gives back the places of tasks, which stages_reserve has taken; the list stays. Any thread. */
void stages_give_back(struct stages *stages, const struct task_list *tasks);

/* Feeds in tasks that are READY and have room; ends them if nothing more is to start. Any thread.
 * */
void stages_feed(struct stages *stages, struct task_list *tasks);

/* Starts nothing more, for good: ends what has not started, also what still comes in. All jobs were
 * told to stop before. */
void stages_close(struct stages *stages);
