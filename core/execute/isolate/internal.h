/* internal: what the files of an isolated batch share. Included by nobody else. All of it is the
 * worker's own thread's, but for what is said to be guarded by the worker's lock. */
#pragma once

#include "execute/isolate/isolate.h"
#include "execute/isolate/process.h"

/* A process that is to leave has so long to do so. */
#define LEAVE_NS NS_PER_S

struct isolate {
    struct worker *worker; /* immutable */
    int wake_fd;           /* an eventfd; immutable */
    /* the worker's thread */
    struct process process;
    uint64_t memory_most;   /* that the process was started with */
    uint32_t served;        /* tasks that have ended in the process */
    uint32_t deaths;        /* in a row, between two calls */
    uint32_t failures;      /* in a row, to start it */
    int64_t rests_until_ns; /* it has failed, and tries no more before; 0: it may */
    uint32_t batch;         /* the number of the last one */
    struct buffer frame;
    struct answer_text text;
    /* of the batch in the process */
    bool done;       /* the process says that it is through */
    bool broken;     /* it says what it must not */
    bool was_asked;  /* the task in hand was asked to end, at asked_ns */
    bool was_killed; /* since that did not help */
    bool is_held_up; /* the batch waits for the task in hand no more */
    int64_t asked_ns;
    int64_t paused_ns; /* since when it has made no call; 0: it does */
    int64_t seen_ns;   /* when the task in hand was first seen to be; 0: not yet */
    int64_t ran_ns;
    struct frame_done last;
    /* guarded by the worker's lock: tasks of the batch that have ended, that were seen to have
     * begun, and that are still ours. What was seen to have begun is not taken away, whatever the
     * seat says later. */
    uint32_t ended, held, limit;
    uint64_t job_key;        /* of all of them, in the store */
    uint64_t at[BATCH_MOST]; /* what flight_slot.at would say of them */
};

/* Returns the earlier of two times. */
static inline int64_t isolate_earlier_ns(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* isolate.c */

/* Returns how many tasks of the batch have begun, and are ours. Lock of the worker held. */
uint32_t isolate_begun(const struct isolate *isolate);

/* isolate_end.c */

/* Returns the first task of the batch that has not ended: what the process is at, or comes to. */
struct task *isolate_current(const struct isolate *isolate);

/* Returns how many tasks of the batch are ours. */
uint32_t isolate_limit(struct isolate *isolate);

/* Returns when a call of a task is over its time; CLOCK_NEVER_NS: never. */
int64_t isolate_deadline_ns(const struct task *task, int64_t started_ns);

/* Says that a task is in its call, if that was not known yet. */
void isolate_mark_running(struct task *task);

/* Returns the attempt of the current task, with its times: what the process says of them is held
 * to what is possible. */
struct attempt isolate_attempt(const struct isolate *isolate, int64_t ended_ns);

/* Writes down in the flight recorder what the process has in hand. Lock of the worker held, or
 * nobody else knows of the batch. */
void isolate_record(const struct isolate *isolate);

/* From here on nobody takes the current task away; false: it has not begun. */
bool isolate_hold(struct isolate *isolate);

/* The same, begun or not; false: there is none. */
bool isolate_hold_first(struct isolate *isolate);

/* Ends the current task, which counts as ended before it is, so that nobody takes it away. */
void isolate_end_task(struct isolate *isolate, struct attempt *attempt);

/* Ends tasks that have succeeded, as far as they are known; not beyond the index. */
void isolate_gather(struct isolate *isolate, uint32_t to);

/* isolate_hear.c */

/* Takes all that has come; false: no more will, or it makes no sense. */
bool isolate_hear(struct isolate *isolate);

/* isolate_mind.c */

/* Sleeps until something comes or it is time. */
void isolate_wait(const struct isolate *isolate, int64_t until_ns);

/* Returns whether the process has ended. */
bool isolate_is_dead(const struct isolate *isolate);

/* Stays with the batch until it is through (true) or the process is to be taken for dead. */
bool isolate_attend(struct isolate *isolate);

/* isolate_death.c */

/* Kills the process, or what is left of it; charges the task at work, and puts the rest back. */
void isolate_bury(struct isolate *isolate, struct group *group);
