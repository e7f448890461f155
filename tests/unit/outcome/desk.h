/* desk: an outcome with jobs and a store in a test; what it says through its hooks is written down.
 * One desk a test. */
#pragma once

#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>

#include "accept/inbound.h"
#include "accept/intake.h"
#include "accept/job.h"
#include "accept/room.h"
#include "outcome/outcome.h"

enum { DESK_JOBS = 2 };

struct desk {
    struct outcome *outcome;
    struct outcome_hooks hooks;
    struct store *store;
    struct figures *figures;
    struct inbound *inbound;
    struct room pending;
    struct chunk_pool chunks;
    struct job *jobs[DESK_JOBS];
    struct outcome_tally tally;
    /* what the hooks said */
    _Atomic int ended[TASK_STATE_COUNT];
    char reason[64], message[256];
    _Atomic int overs[DESK_JOBS], stops[DESK_JOBS];
    bool delays;           /* whether tasks that wait are taken */
    bool stops_when_asked; /* the host does, while a task asks for it */
    char folder[64];       /* of a store in a file; "": it is in memory */
    struct task *delayed;
    struct task_list released; /* READY, for the feeder */
    int64_t delayed_until_ns;
};

extern struct desk desk;

/* Makes the desk. */
void desk_begin(void);

/* The same with a store in a file, for desk_end too. */
void desk_begin_durable(void);

/* Ends it; every task must have ended. */
void desk_end(void);

/* Makes the outcome again, with desk.hooks as they are now. */
void desk_use_hooks(void);

/* Makes a task of a job, in the host and READY. */
struct task *desk_task(int job);

/* Makes a task of a job that waits for another, which has not ended. */
struct task *desk_dependent(int job, const struct task *needed, enum task_when when);

/* A desk_task, moved on to RUNNING. */
struct task *desk_running(int job);

/* Ends a RUNNING task by a verdict, into desk.tally. */
void desk_finish(struct task *task, enum verdict verdict);
