/* executor: what all groups, pools and workers of a host share. Created by the host before any
 * group; the control loop calls the functions here on the main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/task.h"
#include "execute/gate.h"
#include "plugin/registry.h"

struct executor;
struct flight;
struct outcome;

/* What may change while it works. */
struct executor_limits {
    int64_t grace_ns;   /* how long a call may go on after it was asked to end; the control loop */
    int64_t max_age_ns; /* a task that waits longer goes before higher priorities; under its lock */
    /* how often it is measured how busy groups keep the processors; 0: never; the control loop */
    int64_t heartbeat_ns;
};

/* Whether the lines that plugins log are kept with their tasks. */
enum executor_logs { EXECUTOR_DROPS_LOGS, EXECUTOR_KEEPS_LOGS };

struct executor_options {
    struct registry *registry;
    struct outcome *outcome;
    struct gate gate;
    const char *flight_path; /* of the flight recorder; NULL: there is none */
    uint64_t epoch;          /* the host's, for that */
    enum executor_logs logs;
    struct executor_limits limits;
    void *context;
    void (*wake)(void *context); /* has executor_watch called soon; any thread */
    /* Takes over tasks (READY) of types that nobody serves any more. Any thread, no lock held. */
    void (*unserved)(void *context, struct task_list *tasks);
};

/* Creates it; the options' pointers are borrowed until the end. */
struct executor *executor_create(const struct executor_options *options);

/* Returns the flight recorder; NULL: there is none. Any thread. */
struct flight *executor_flight(const struct executor *executor);

/* Joins all workers; no group has a task, nothing is pushed any more. False if one has not ended
 * at the deadline: it is stuck in a plugin. */
bool executor_stop(struct executor *executor, int64_t deadline_ns);

/* Frees all pools and groups after executor_stop; clears the pointer; accepts NULL. */
void executor_destroy(struct executor **executor);

/* Changes the limits for what runs and waits, and for what comes. */
void executor_set_limits(struct executor *executor, const struct executor_limits *limits);

/* Looks after the running calls: cancels those past their deadline, gives up those that do not end,
 * takes the rest of a batch away from a call that takes long. Returns when it wants to be called
 * again (CLOCK_NEVER_NS: when woken). */
int64_t executor_watch(struct executor *executor, int64_t now_ns);

/* Measures how much processor time the workers have used since the last time, for group_load, if it
 * is time for that. Returns when it is next (CLOCK_NEVER_NS: never). Control loop. */
int64_t executor_heartbeat(struct executor *executor, int64_t now_ns);

/* Begins to drain a generation that is not published any more: its workers finish the call in hand,
 * start nothing else, and leave; what they had not started goes to whoever serves it now. */
void executor_drain(struct executor *executor, struct generation *generation);

/* Returns a generation whose draining is over, all its workers being joined; NULL if there is none.
 * Nothing here knows it any more. */
struct generation *executor_drained(struct executor *executor);

/* Returns a draining generation of which only stuck calls are left, each time another one; NULL if
 * there is none. It is drained when they return after all. */
struct generation *executor_drain_is_stuck(struct executor *executor);

/* Moves all tasks of a job (NULL: of all jobs) that have not started to the list, also those in
 * workers' batches. */
void executor_purge(struct executor *executor, const struct job *job, struct task_list *purged);

/* The same with those tasks alone that are not to start (job_stops): one walk over all that
 * waits. */
void executor_purge_stopped(struct executor *executor, const struct job *job,
                            struct task_list *purged);

/* Has the calls of a type be made in worker processes from their next batch on, whatever its groups
 * say, until as many executor_unisolate have been called. Any thread. */
void executor_isolate(struct executor *executor, const struct type *type);

/* Takes one executor_isolate back. Any thread. */
void executor_unisolate(struct executor *executor, const struct type *type);

/* From now on groups take no tasks: group_push leaves them in its list. */
void executor_close(struct executor *executor);

/* Asks all running calls to end at the next look, and from then on each that begins. */
void executor_cancel(struct executor *executor);

/* Asks the call of one task to end, as its deadline would; the task, which was cancelled
 * (task.cancelled) before, is only compared. False: no worker is at it. Control loop. */
bool executor_cancel_task(struct executor *executor, const struct task *task);

/* The same for all calls of a job, which was told to stop before; how many they are. */
uint32_t executor_cancel_job(struct executor *executor, const struct job *job);

/* A call in progress. */
struct running {
    uint64_t job_key; /* in the store */
    uint32_t number;  /* of the task in the store, see job_place */
    uint32_t attempt; /* its name in the store */
    const char *group;
    int64_t started_ns;
    int32_t weight; /* that its batch holds */
    bool stuck;     /* was given up: its task has ended */
    uint64_t progress_done, progress_total;
};

/* Shows every call in progress; none of its tasks is touched, and no lock held meanwhile. Any
 * thread. */
void executor_visit_running(struct executor *executor,
                            void (*visit)(void *context, const struct running *running),
                            void *context);

/* Returns how many calls are in progress, without the stuck ones. */
uint32_t executor_running(struct executor *executor);

/* Returns how many calls are stuck. */
uint32_t executor_stuck(struct executor *executor);
