/* figures: what is counted and measured of the tasks of each type, from submission to end, since
 * the host was started. Who ends tasks gathers over a batch, alone, and hands in at once; who reads
 * stops nobody. Created by the host; any thread. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "accept/task.h"
#include "support/histogram.h"

enum crash_reason {
#define CRASH(name, word, what) CRASH_##name,
#include "accept/crash_reasons.def"
#undef CRASH
    CRASH_REASON_COUNT,
};

/* The figures of one type. Each is right at its own time. */
struct type_figures {
    const struct type *type; /* immutable */
    _Atomic uint64_t submitted;
    _Atomic uint64_t finished[TASK_STATE_COUNT]; /* final states */
    _Atomic uint64_t retries;                    /* attempts after which another was charged */
    _Atomic uint64_t crashes[CRASH_REASON_COUNT];
    struct histogram_total latency; /* of every task, submission to end */
    struct histogram_total wait;    /* of what has started: submission to the first start */
    struct histogram_total run;     /* of every attempt */
};

/* What a thread gathers of one type at a time; zeroed to begin with. */
struct figures_tally {
    const struct type *type;      /* NULL: none yet */
    struct type_figures *of_type; /* where it is handed in */
    struct histogram latency, wait, run;
    uint32_t finished[TASK_STATE_COUNT];
    uint32_t retries;
};

struct figures;

/* Creates it, with no type. */
struct figures *figures_create(void);

/* Frees it; clears the pointer; accepts NULL. */
void figures_destroy(struct figures **figures);

/* Counts the tasks of the list as submitted. */
void figures_submit(struct figures *figures, const struct task_list *tasks);

/* Counts a worker process of a type that is gone. */
void figures_crash(struct figures *figures, const struct type *type, enum crash_reason reason);

/* Hands in what was gathered; the tally is empty afterwards. */
void figures_flush(struct figures_tally *tally);

/* Has a tally gather for another type, after what it holds is handed in. */
void figures_change(struct figures *figures, struct figures_tally *tally, const struct type *type);

/* Calls visit for each type that tasks were submitted of, or have ended. */
void figures_visit(struct figures *figures,
                   void (*visit)(void *context, struct type_figures *of_type), void *context);

/* Returns the word of a reason, as metrics spell it. */
const char *crash_reason_word(enum crash_reason reason);

/* Has a tally gather for a type. */
static inline void figures_turn_to(struct figures *figures, struct figures_tally *tally,
                                   const struct type *type)
{
    if (tally->type != type)
        figures_change(figures, tally, type);
}

/* Gathers an attempt that is over, of a task of the type that was turned to. */
static inline void figures_add_attempt(struct figures_tally *tally, const struct task *task,
                                       int64_t started_ns, int64_t ended_ns)
{
    histogram_add(&tally->run, ended_ns - started_ns);
    if (task->name == 1)
        histogram_add(&tally->wait, started_ns - task->submitted_ns);
}

/* Gathers a task, of the type that was turned to, that is in its final state. */
static inline void figures_add_end(struct figures_tally *tally, const struct task *task,
                                   int64_t ended_ns)
{
    histogram_add(&tally->latency, ended_ns - task->submitted_ns);
    tally->finished[task_state(task)]++;
}
