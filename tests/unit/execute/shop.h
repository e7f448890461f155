/* shop: an executor at work in a test: real groups, pools, workers, calls and outcomes; the gate,
 * the control loop and the plugins are the test's own. The plugins are two generations made by
 * hand, whose types all run shop.act. One shop a test. */
#pragma once

#include <stdatomic.h>

#include "../await.h"
#include "accept/inbound.h"
#include "accept/job.h"
#include "accept/room.h"
#include "dispatch/admission.h"
#include "execute/executor.h"
#include "execute/group.h"
#include "outcome/outcome.h"

enum { SHOP_TASKS_MOST = 100 * 1000, SHOP_JOBS = 2, SHOP_WAITING_MOST = 128, SHOP_AUTO = -1 };

/* Types of the first generation, and one of the second. */
enum shop_type { SHOP_PLAIN, SHOP_SECOND, SHOP_SERIAL, SHOP_OTHER, SHOP_TYPES };

struct shop_setup {
    int64_t grace_ns;   /* 0: a second */
    int64_t max_age_ns; /* 0: an hour */
    /* What a call of task n does; NULL: nothing. Any worker's thread. */
    enum sluice_status (*act)(const struct sluice_call *call, int64_t n);
    /* Hears of each task that ends, on the thread that ended it; NULL: nobody. */
    void (*listen)(const struct task *task);
    /* Of the type SHOP_SECOND; may be NULL. */
    bool (*worker_init)(void *self, void **worker, struct sluice_error *error);
    void (*worker_exit)(void *self, void *worker);
    struct admission *admission; /* the gate; NULL: the test's own */
    bool serves_many;            /* of all groups, see group_options */
};

/* How tasks are made; what is 0 is usual. */
struct shop_task {
    enum shop_type type;
    int job;
    int32_t weight; /* 0: 1; SHOP_AUTO: 1, and 2 once the type was measured */
    int8_t priority;
    int64_t timeout_ns; /* 0: none */
    int64_t age_ns;     /* how long it has been waiting */
    bool damaged;       /* its parameters are not of its type */
};

struct shop_asked {
    struct group *group;
    struct job *job;
    int32_t weight;
};

struct shop {
    struct shop_setup setup;
    struct executor *executor;
    struct figures *figures;
    struct outcome *outcome;
    struct store *store;
    struct inbound *inbound;
    struct room pending;
    struct chunk_pool chunks;
    struct job *jobs[SHOP_JOBS];
    int64_t next;                           /* the n of the next task */
    void (*each_pushed)(struct task *task); /* sees each task before it is pushed; NULL: nobody */
    struct mutex lock;
    struct cond changed;
    bool woken;         /* guarded by lock: the control loop is to look */
    bool told;          /* guarded by lock: something has happened */
    int64_t planned_ns; /* when the control loop looks again, if nobody wakes it */
    /* atomic */
    _Atomic int runs[SHOP_TASKS_MOST];        /* calls by n */
    _Atomic int64_t started[SHOP_TASKS_MOST]; /* n in the order of their starts */
    _Atomic int started_count;
    _Atomic int inside, inside_most; /* calls in progress */
    _Atomic int ended[TASK_STATE_COUNT];
    _Atomic int jobs_over;
    _Atomic int opened;   /* for shop_hold */
    _Atomic int unserved; /* given back by the executor, and cancelled */
    char reason[64];      /* of the last task that did not succeed */
    /* the gate, guarded by lock */
    bool shut;
    int32_t clamp; /* no grant is larger; 0: as asked */
    int32_t in_use, in_use_most;
    _Atomic int32_t weigh_more; /* how much more an auto weight is each time it is asked for */
    _Atomic int32_t weighed;
    int asked_count;
    struct shop_asked waiting[SHOP_WAITING_MOST];
    int waiting_count;
};

extern struct shop shop;

/* Opens the shop. */
void shop_begin(const struct shop_setup *setup);

/* Closes it; every task has ended and every grant has come back, or the test fails. */
void shop_end(void);

/* Creates a group. */
struct group *shop_group(const char *name, uint32_t workers);

/* The same with a cap and a reserve, for shop_setup.admission. */
struct group *shop_weighed_group(uint32_t workers, int32_t max_weight, int32_t reserve);

/* Makes count tasks and pushes them into the group at once; returns the n of the first. */
int64_t shop_push(struct group *group, const struct shop_task *how, int count);

/* Opens the gate: who waits is granted, who comes passes. */
void shop_open_gate(void);

/* In an act: blocks until shop_open(step) was called, whatever the call is asked to do. */
void shop_hold(int step);

/* Opens everything that is held up to a step. */
void shop_open(int step);

/* Wakes the control loop. Any thread. */
void shop_wake(void *unused);

/* Waits a little for something to happen; looks at the running calls, as the host would, only when
 * it was woken or the time has come that the last look asked for. */
void shop_step(void);

/* Returns how many tasks have ended, however. */
int shop_ended(void);

/* Ends purged tasks as cancelled; returns how many. */
int shop_drop(struct task_list *tasks);

/* Runs the control loop until the condition holds. */
#define SHOP_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int64_t shop_until_ns = clock_now_ns() + AWAIT_MOST_NS;                                    \
        while (!(condition)) {                                                                     \
            cr_assert_lt(clock_now_ns(), shop_until_ns, "waited in vain for: %s", #condition);     \
            shop_step();                                                                           \
        }                                                                                          \
    } while (0)
