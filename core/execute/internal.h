/* internal: what the files of this room know of each other and nobody else. Order of the locks:
 * a group's, then the executor's, then a worker's, a pool's or the gate's. */
#pragma once

#include <stdatomic.h>

#include "execute/answer.h"
#include "execute/backlog.h"
#include "execute/executor.h"
#include "execute/flight.h"
#include "execute/group.h"
#include "execute/meter.h"
#include "execute/performer.h"
#include "execute/queue.h"
#include "outcome/outcome.h"
#include "plugin/call.h"
#include "support/clock.h"
#include "support/thread.h"

enum {
    BATCH_MOST = 64,
    BATCH_TAKEN = 1 << 16, /* worker.next when the rest of a batch was taken away */
    POOL_WORKERS_MOST = 4096,
};

/* A batch is as many tasks as should be done in this time; a worker that is at it is called
 * brisk. */
#define BRISK_NS (100 * NS_PER_US)
/* How often the control loop looks while calls come and go, and how long a call may hold up a
 * batch. */
#define WATCH_TICK_NS (10 * NS_PER_MS)
/* How long the control loop waits before it asks for a thread again that was refused. */
#define REFUSED_LOOK_NS (100 * NS_PER_MS)
/* Calls that are shorter do not sleep in them: more workers than processors would be of no use. */
#define TINY_NS (5 * NS_PER_US)
/* How long a worker that has run out of tiny calls keeps looking for more before it sleeps. */
#define LOOK_ON_NS (20 * NS_PER_US)
enum { LOOKS_VAIN_MOST = 63 }; /* that are left out in a row, see pool.c */
/* How long a worker without work waits before it leaves. */
#define WORKER_LINGER_NS (2 * NS_PER_S)
/* The same if it has a worker process, which takes milliseconds to start anew. */
#define PROCESS_LINGER_NS (60 * NS_PER_S)

struct isolate;

struct executor {
    struct executor_options options; /* immutable but for its limits */
    uint32_t cpus;                   /* immutable */
    _Atomic uint32_t looking;        /* workers that look on, half as many as cpus at most */
    struct meter *meter;
    struct flight *flight;   /* immutable; NULL: nobody is told what workers had in hand */
    _Atomic bool cancelling; /* every call is asked to end; set by the control loop */
    /* by the type's number: how many have asked for its isolation, see executor_isolate */
    _Atomic uint32_t *isolating;
    struct mutex lock;
    struct group *groups;   /* guarded by lock; through group.next */
    struct worker *workers; /* guarded by lock; through worker.next_worker */
    struct pool *pools;     /* guarded by lock; through pool.next */
    _Atomic bool closed;
    _Atomic uint32_t stuck;
    int64_t beat_ns;            /* the control loop: of the last heartbeat; 0: none yet */
    _Atomic int64_t planned_ns; /* when the control loop will look again */
};

struct group {
    /* immutable */
    struct executor *executor;
    char *name;
    void *party;
    uint16_t mark;    /* what task.charged is for its tasks; 0: its number is too large for that */
    bool serves_many; /* see group_options */
    struct group_process process;
    struct group *next;
    struct mutex lock;
    /* guarded by lock */
    struct backlog backlog;
    uint32_t workers;
    uint32_t running;  /* batches */
    bool paused;       /* starts nothing more */
    struct pool *pool; /* in whose ready list it stands, or whose worker comes; NULL: neither */
    bool waiting;      /* the gate has yet to answer */
    bool has_grant;    /* .grant is held for the next batch */
    struct grant grant;
    int32_t asked; /* the weight for which .grant was, or is, asked; it may hold less */
    const struct job *asked_for; /* only compared: of which job the batch is that waits */
    struct group_start start;    /* the last failure of a worker process to start */
    /* guarded by the pool's lock */
    struct group *next_ready;
    /* atomic */
    _Atomic uint32_t accepted, queue_capacity; /* see group_reserve */
    _Atomic uint32_t stuck;                    /* calls */
    _Atomic uint32_t cpu_milli;                /* see group_load; written by the control loop */
    int64_t beat_cpu_ns;                       /* the control loop, within one heartbeat */
};

/* The right to run a batch of a SERIAL type. */
struct turn {
    bool taken;
    struct group *waiting; /* groups whose head waits for it; through group.next_ready */
    struct aside *aside;   /* in groups of many types; through aside.next_waiting */
};

/* The worker threads of one generation and the groups that have work for them. */
struct pool {
    struct executor *executor;     /* immutable */
    struct generation *generation; /* immutable */
    struct pool *next;             /* guarded by the executor's lock */
    bool told_stuck;               /* the control loop: see executor_drain_is_stuck */
    struct mutex lock;
    struct cond work;
    struct cond rest;      /* for workers that rest */
    _Atomic bool stopping; /* its workers claim nothing any more; set under lock */
    /* guarded by lock */
    struct group *ready, **ready_tail;
    _Atomic uint32_t ready_count; /* read without lock by a worker that looks on */
    uint32_t idle;                /* threads that wait and were not called */
    uint32_t called;              /* threads that wait and were called */
    uint32_t brisk;               /* threads that will look at the ready list within BRISK_NS */
    uint32_t threads;             /* started and not left */
    bool starting;                /* a new thread has not looked at the ready list yet */
    struct turn *turns;           /* by the offer's index: whose turn a SERIAL type's call is */
    bool refused;        /* the last thread could not be started: the control loop tries again */
    struct worker *left; /* have returned and are to be joined; through worker.next_left */
};

struct worker {
    struct pool *pool; /* immutable */
    struct thread thread;
    struct worker *next_worker; /* guarded by the executor's lock */
    struct worker *next_left;   /* guarded by the pool's lock */
    struct performer performer;
    /* Written by the worker under lock when it takes a batch; the control loop takes the rest away
     * under lock. */
    struct mutex lock;
    struct task *batch[BATCH_MOST];
    uint32_t batch_count;
    const struct type *type; /* of the batch */
    struct group *group;
    struct task *current; /* the one in its call */
    struct grant grant;
    uint32_t taken_at; /* if the rest was taken away: how many had been begun */
    bool is_isolated;  /* its batch is in the worker process of .isolate */
    /* The rest is in somebody's hands. Until it is back in its group the worker keeps what its
     * batch holds (weight, a turn, its place), so that nobody goes before the rest. */
    bool rest_is_away;
    struct cond rest_is_back;
    /* atomic */
    _Atomic uint32_t next;       /* index in the batch of the next task to start */
    _Atomic int64_t deadline_ns; /* of the call in progress */
    /* What it has in hand, see running.c: a slot of the flight recorder's, or its own. */
    struct flight_slot *slot, own_slot;
    _Atomic int64_t look_ns; /* when the control loop is to look; CLOCK_NEVER_NS between batches */
    _Atomic clockid_t cpu_clock; /* of its thread, once it runs */
    _Atomic bool slow;           /* not counted in pool.brisk; changed under the pool's lock */
    /* the worker's own thread */
    bool arrived;            /* has looked at the ready list once */
    bool looks_on;           /* its last batch was of tiny calls */
    uint32_t looks_left_out; /* since it looked on last */
    uint32_t looks_vain;     /* so many are to be left out: it has found nothing then */
    struct isolate *isolate; /* set once, under the executor's lock; NULL: it needed none yet */
    struct clock_reading clock;
    struct turn *turn; /* that the batch holds; NULL: none; see give_up */
    struct answer_text text;
    struct buffer resolved;      /* the record behind them, if parts of it were known only now */
    struct outcome_tally *tally; /* the control loop takes it over when it gives a call up */
    /* the control loop */
    uint64_t seen_turn;  /* / CALL_TURN, at its last look */
    uint64_t freed_turn; /* / CALL_TURN: the call whose batch was freed */
    uint64_t asked_turn; /* the call that was asked to end */
    int64_t asked_ns;
    /* only compared: to be asked to end once its call has begun; set under .lock */
    const struct task *_Atomic cancels;
    int64_t cpu_ns; /* that its thread had used at the last heartbeat */
};

/* What a worker is to do next with a group. */
struct claim {
    uint32_t count;      /* tasks in the worker's batch; 0: nothing to do */
    int64_t expected_ns; /* for all of them; CLOCK_NEVER_NS: not known */
    bool has_surplus;    /* .surplus is to be given back */
    struct grant surplus;
    struct aside *awaited; /* turns that were given back */
};

/* Returns the first of all groups. They are only ever added in front, so that the list may be
 * walked without a lock. Any thread. */
struct group *executor_groups(struct executor *executor);

/* What is to be done about a group when its lock is let go of. */
struct after {
    /* needs one more thread; it stays until it has it; NULL: none does */
    struct pool *start;
    struct task_list unserved; /* of types that nobody serves any more */
    bool has_surplus;          /* .surplus is to be given back: nothing is left to start */
    struct grant surplus;
};

/* Begins with nothing. */
void after_init(struct after *after);

/* Returns the task that is to start next, NULL if none may; *from says where it is, see backlog.
 * Lock of the group held. */
struct task *group_head(const struct group *group, struct aside **from);

/* Counts a task that has come into the group, unless it does already. Any thread. */
static inline uint32_t group_charge(const struct group *group, struct task *task)
{
    uint16_t before = atomic_load_explicit(&task->charged, memory_order_relaxed);
    if (before == group->mark)
        return 0;
    atomic_store_explicit(&task->charged, group->mark, memory_order_relaxed);
    return 1;
}

/* Says that the group does not count the task any more: it has let go of the place of each task of
 * a batch when the batch was claimed. Owner of the task. */
static inline void group_discharge(struct task *task)
{
    atomic_store_explicit(&task->charged, 0, memory_order_relaxed);
}

/* Returns the weight of a task of the group. */
int32_t group_weigh(const struct group *group, const struct task *task);

/* Offers the group to the workers of its head's generation if it has work for one more. The offer
 * is looked up and used under the group's lock: see executor_drain. Lock of the group held. */
void group_relist(struct group *group, struct after *after);

/* Does what is to be done. No lock held. */
void group_act(struct group *group, struct after *after);

/* Gives back the grants that are held for nothing. No lock held. */
void group_return_grants(struct group *group);

/* Moves tasks that wait to the list. What is held for them is given back. No lock held. */
void group_purge(struct group *group, const struct purge *purge, struct task_list *purged);

/* Has what the workers of a pool (NULL: of all) have claimed and not started, of a group (NULL: of
 * any), go back to where it was claimed. No lock held. */
void executor_take_rests(struct executor *executor, const struct pool *pool,
                         const struct group *group);

/* Fills the worker's batch from a group that pool_next returned. Worker's thread, no lock held. */
struct claim group_claim(struct group *group, struct worker *worker);

/* Fills the batch again, under the grant in hand, with what the group has got meanwhile; false if
 * there is nothing that it holds for, others wait for the worker, or it would take longer than
 * left_ns. Between the batch that group_claim has filled and group_done. Worker's thread, no lock
 * held. */
bool group_claim_more(struct group *group, struct worker *worker, int64_t left_ns);

/* Changes after which time a task of the group goes before higher priorities. No lock held. */
void group_set_max_age(struct group *group, int64_t max_age_ns);

/* Ends a batch, whose grant the caller gives back; the group may be served by the next. No lock
 * held. */
void group_done(struct group *group);

/* Says that the turn is free for which these waited aside (pool_give_turn; NULL: none); they may be
 * gone then. No lock held. */
void group_turn_free(struct aside *awaited);

/* Notes how the last start of a worker process for the group went. No lock held. */
void group_note_start(struct group *group, const struct group_start *start);

/* Moves the group out of a pool that stops, to the one that serves its next task now. */
void group_leave_pool(struct group *group, struct pool *pool);

/* Returns whether it starts nothing more. No lock held. */
bool group_is_paused(struct group *group);

/* Puts tasks that did not start back in front; after executor_close they go where those go that
 * nobody serves. No lock held. */
void group_put_back(struct group *group, struct task_list *tasks);

/* Returns the pool of a generation; makes it when it is first asked for. Lock of a group held. */
struct pool *pool_of(struct executor *executor, struct generation *generation);

/* Adds a group to the ready list and sees to it that enough workers are awake for its backlog.
 * True: one more thread is needed, and the pool stays until the caller has called
 * pool_start_thread. Lock of the group held. */
bool pool_push(struct pool *pool, struct group *group, int64_t backlog_ns);

/* Puts a group at the end of the ready list. Lock of the pool held. */
static inline void pool_push_ready(struct pool *pool, struct group *group)
{
    group->next_ready = NULL;
    *pool->ready_tail = group;
    pool->ready_tail = &group->next_ready;
    pool->ready_count++;
}

/* Takes the first one out of it; NULL: there is none. Lock of the pool held. */
static inline struct group *pool_pop_ready(struct pool *pool)
{
    struct group *group = pool->ready;
    if (group == NULL)
        return NULL;
    pool->ready = group->next_ready;
    if (pool->ready == NULL)
        pool->ready_tail = &pool->ready;
    pool->ready_count--;
    return group;
}

/* Takes a group out of the ready list; false if a worker has it in hand. Lock of the group held. */
bool pool_remove(struct pool *pool, struct group *group);

/* Takes the turn of a SERIAL type for a batch; if another one has it, the group (NULL: none) stands
 * in its line (and counts as listed) until it is given back. Lock of the group held. */
bool pool_take_turn(struct pool *pool, struct turn *turn, struct group *group);

/* Has what is aside of a SERIAL type wait for its turn; false if that is free. Lock of the group
 * held. */
bool pool_await_turn(struct pool *pool, struct turn *turn, struct aside *aside);

/* Has it wait no more; false if its turn is free, and it is about to hear of that. Lock of the
 * group held. */
bool pool_forgo_turn(struct pool *pool, struct aside *aside);

/* Returns whether a batch has it. Any lock but this may be held. */
bool pool_turn_is_taken(struct pool *pool, const struct turn *turn);

/* Gives a turn back; the groups that waited for it are ready, and what was aside for it in others
 * is put in front of *awaited, for group_turn_free. Any lock may be held. */
void pool_give_turn(struct pool *pool, struct turn *turn, struct aside **awaited);

/* Starts the thread that pool_push asked for. No lock held. */
void pool_start_thread(struct pool *pool);

/* Returns whether the last thread could not be started. */
bool pool_is_refused(struct pool *pool);

/* Makes the workers leave; the groups that stand in the ready list are the caller's to move. */
void pool_close(struct pool *pool);

/* Returns how many threads there are. */
uint32_t pool_threads(struct pool *pool);

/* Sees to it that enough workers are awake for a backlog, if a group is ready; starts a thread if
 * that takes one. For a pool that cannot go meanwhile. No lock held. */
void pool_wake(struct pool *pool, int64_t backlog_ns);

/* Returns the next group that is ready; waits for one; NULL when the worker is to leave. Worker's
 * thread. */
struct group *pool_next(struct pool *pool, struct worker *worker);

/* Says that the worker will not look at the ready list soon. Any thread. */
void pool_mark_slow(struct pool *pool, struct worker *worker);

/* Says that it will again. Worker's thread. */
void pool_mark_brisk(struct pool *pool, struct worker *worker);

/* Waits until a time, or until the pool stops. Worker's thread, no lock held. */
void pool_rest(struct pool *pool, int64_t until_ns);

/* Says that the worker's thread is about to end and may be joined. Worker's thread. */
void pool_leave(struct pool *pool, struct worker *worker);

/* Joins all workers; false if one has not ended at the deadline. They may still wake other pools
 * until then. */
bool pool_stop(struct pool *pool, int64_t deadline_ns);

/* Frees the pool, when all pools are stopped; clears the pointer. */
void pool_destroy(struct pool **pool);

/* Says whose thread this is (NULL: nobody's any more), for a crash: see last_words.h. Worker's
 * thread. */
void last_words_attend(const struct worker *worker);

/* Creates the worker and starts its thread; NULL with a message. */
struct worker *worker_start(struct pool *pool, struct error *error);

/* Joins a worker that has left, frees it and clears the pointer; false if its thread has not ended
 * at the deadline. */
bool worker_join(struct worker **worker, int64_t deadline_ns);

/* Moves the tasks of the batch that have not started to the list, if they are of the job and the
 * group (NULL: of any). If there are any, worker_return_rest must follow soon; the worker stays
 * until then. Any thread. */
void worker_take_rest(struct worker *worker, const struct job *job, const struct group *group,
                      struct task_list *rest);

/* Puts back what is to stay of that into the group of the batch; empties the list. No lock held. */
void worker_return_rest(struct worker *worker, struct task_list *rest);

/* Returns the task that the worker has taken out of its batch and not ended; it is only to be
 * compared. NULL: there is none. Lock of the worker held. */
const struct task *worker_task_in_hand(const struct worker *worker);

/* Reads the call that the worker has in progress; false: there is none, or another one since. No
 * lock of the worker held. */
bool running_read(struct worker *worker, struct running *running);

/* Calls the plugin for a task: fills *attempt, whose texts live in the worker until its next call.
 * False: the host gave the call up meanwhile, and the task is no longer ours. Worker's thread. */
bool invoke(struct worker *worker, const struct task *task, struct attempt *attempt);

/* Finds the packed parameters of a task, with what became of other tasks put in where they refer to
 * it: *record lies in the task or in *resolved. False with a message: what was put in does not fit.
 * Worker's thread. */
bool invoke_resolve(const struct offer *offer, const struct task *task, struct buffer *resolved,
                    struct params_text *record, struct error *error);
