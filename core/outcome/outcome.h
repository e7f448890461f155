/* outcome: what becomes of a task when an attempt is over, or when it is never to start. Called
 * by whoever owns the task (a worker, the control loop, the dispatcher) on its own thread; the
 * one switch over the verdicts is here. Created by the host. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/figures.h"
#include "accept/task.h"
#include "store/store.h"
#include "support/buffer.h"

struct outcome;
struct room;

/* How an attempt went, as execute saw it. */
enum verdict {
    VERDICT_OK,
    VERDICT_FAILED,
    VERDICT_FAILED_FOR_GOOD,
    VERDICT_TRY_AGAIN, /* after try_again_ns; not charged as an attempt */
    VERDICT_TIMED_OUT,
    VERDICT_CANCELLED,
    VERDICT_CRASHED, /* its worker process died of it */
};

/* One attempt that is over. Everything is borrowed for the call. */
struct attempt {
    enum verdict verdict;
    int64_t started_ns, ended_ns;
    int64_t try_again_ns;
    const char *reason;  /* a stable word: "exit_nonzero", "timed_out"; empty for VERDICT_OK */
    const char *message; /* what the plugin said; may be empty */
    const struct buffer *outputs; /* name NUL text NUL ...; NULL: none */
    const char *plugin, *version; /* who ran it; NULL: nobody */
    bool process_lost;            /* its worker process is gone: */
    enum crash_reason lost_by;
    bool memory_stays; /* a stuck call still reads the task: its chunk is not released */
};

/* A task that has ended for good, or an attempt of it (TASK_DELAYED), as the user hears of it.
 * Borrowed for the call. */
struct outcome_record {
    const struct task *task;
    enum task_state state; /* a final one; TASK_DELAYED: it is tried again after retry_ns */
    const struct attempt *attempt;
    int64_t retry_ns;
};

/* Why a task is dropped: a stable word and a text; borrowed for the call. */
struct outcome_reason {
    const char *word;
    const char *message;
};

/* What a thread gathers over a batch and hands in at once; begins with outcome_tally_init. One
 * job and one chunk at a time: another one hands in first. */
enum { OUTCOME_ENDS_MOST = 64 };

struct outcome_tally {
    struct job *job;
    struct chunk *chunk;
    uint32_t in_chunk;
    uint32_t in_job[TASK_STATE_COUNT];
    struct store_end ends[OUTCOME_ENDS_MOST]; /* not in the store yet */
    uint32_t ends_count;
    struct figures_tally figures;
    struct task_list released; /* wait for nothing any more; empty between calls */
};

struct outcome_hooks {
    void *context;
    /* A task has ended; on the thread that ended it, no lock held. wants_all: also those that
     * succeeded, and attempts after which a task is tried again. NULL: nobody listens. */
    void (*ended)(void *context, const struct outcome_record *record);
    bool wants_all;
    /* The last task of a job has ended. Any thread. */
    void (*job_over)(void *context, struct job *job);
    /* As many tasks are left as somebody watches for (room_watch). Any thread. */
    void (*room_reached)(void *context);
    /* The first final failure of a fail_fast job: what has not started is to be purged. Any thread,
     * called once a job. */
    void (*job_stops)(void *context, struct job *job);
    /* A worker process has died of a task (VERDICT_CRASHED), of whichever; or, crash being NULL, a
     * suspect (task.suspect) has ended for good. Any thread; NULL: there are no suspects. */
    void (*suspect)(void *context, const struct task *task, const struct attempt *crash);
    /* A task that a group has accepted (task.charged) ends without a start. Any thread; NULL:
     * nobody counts. */
    void (*discharge)(void *context, struct task *task);
    /* Takes over a task (RUNNING, WAITING) until it is due; false if nothing waits any more: the
     * task stays the caller's. Any thread. */
    bool (*delay)(void *context, struct task *task, int64_t due_ns);
    /* Takes over tasks (READY) that may start now, since all that they need has ended. Any
     * thread. */
    void (*release)(void *context, struct task_list *tasks);
};

/* Creates it; all are borrowed until the end. */
struct outcome *outcome_create(const struct outcome_hooks *hooks, struct store *store,
                               struct room *pending, struct figures *figures);

/* Frees it; clears the pointer; accepts NULL. */
void outcome_destroy(struct outcome **outcome);

/* Makes a tally empty. */
static inline void outcome_tally_init(struct outcome_tally *tally)
{
    tally->job = NULL;
    tally->chunk = NULL;
    tally->in_chunk = tally->ends_count = 0;
    tally->figures = (struct figures_tally){0};
    task_list_init(&tally->released);
    for (int i = 0; i < TASK_STATE_COUNT; i++)
        tally->in_job[i] = 0;
}

/* Ends an attempt of a RUNNING task and takes the task over: final, or back to the delayed, as
 * task->retry says. Counts into the tally, and releases those that waited for it. True: a
 * listener was called (hooks.ended), which may have taken any time. */
bool outcome_end(struct outcome *outcome, struct task *task, const struct attempt *attempt,
                 struct outcome_tally *tally);

/* Ends a task that has not started as CANCELLED or SKIPPED. Takes the task over, counts into the
 * tally, and releases those that waited for it. */
void outcome_drop(struct outcome *outcome, struct task *task, enum task_state state,
                  const struct outcome_reason *reason, struct outcome_tally *tally);

/* The same for a task whose job stops: SKIPPED after a failure of a fail_fast job, or as its last
 * attempt if that failed, else CANCELLED. */
void outcome_drop_stopped(struct outcome *outcome, struct task *task, struct outcome_tally *tally);

/* Takes over tasks (WAITING) that need others, all of which have ended: they start, or are
 * skipped with those that need them. */
void outcome_release(struct outcome *outcome, struct task_list *tasks, struct outcome_tally *tally);

/* Ends a task (ACCEPTED, or WAITING and released) as it has ended in an earlier run (past.h):
 * nobody hears of it. Takes the task over, counts into the tally, and releases those that
 * waited for it. */
void outcome_recall(struct outcome *outcome, struct task *task, struct outcome_tally *tally);

/* Adds text to the log of a task that is RUNNING, if logs are kept. Any thread, within its
 * call. */
void outcome_log(struct outcome *outcome, const struct task *task, const char *text, size_t length);

/* Hands in what the tally holds; the tasks in it are not to be touched any more; a job may be
 * over by it. Call it when a batch is done. */
void outcome_flush(struct outcome *outcome, struct outcome_tally *tally);
