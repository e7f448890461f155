/* internal: what outcome.c, tally.c and ending.c share. Included by nobody else; each on the
 * thread that owns the task. */
#pragma once

#include "outcome/outcome.h"

struct outcome {
    struct outcome_hooks hooks;
    struct store *store;
    struct room *pending;
    struct figures *figures;
    int64_t wall_ns; /* the wall clock when the monotonic one was 0 */
};

/* ---- tally.c ---- */

/* Returns the name of a task's current attempt in the store. */
struct store_name outcome_name(const struct outcome *outcome, const struct task *task);

/* Fills in how an attempt went, as the store keeps it. */
void outcome_describe(const struct outcome *outcome, const struct attempt *attempt,
                      struct store_attempt *how);

/* Brings the end of a task (in its final state) to the store, now or with others. */
void tally_add_end(struct outcome *outcome, const struct task *task, const struct attempt *attempt,
                   struct outcome_tally *tally);

/* Brings the ends that were gathered to the store: before the tasks' memory goes, and before it
 * hears of what follows from them. */
void tally_say_ends(struct outcome *outcome, struct outcome_tally *tally);

/* Counts a task that is done with, in its job as a state (TASK_ACCEPTED: it has not ended there),
 * and turns the tally to its job and chunk. */
void tally_count(struct outcome *outcome, const struct task *task, enum task_state as,
                 struct outcome_tally *tally);

/* ---- ending.c ---- */

/* Ends a task in a final state: says so, counts it, and lets go of its memory. Its type is the
 * one that the tally's figures are of. True: who listens was told. */
bool ending_end(struct outcome *outcome, struct task *task, enum task_state state,
                const struct attempt *attempt, struct outcome_tally *tally);

/* Ends a task that is not to start, or not again. */
void ending_unstarted(struct outcome *outcome, struct task *task, enum task_state state,
                      const struct outcome_reason *reason, struct outcome_tally *tally);

/* The same for one whose job stops. */
void ending_stopped(struct outcome *outcome, struct task *task, struct outcome_tally *tally);

/* Returns whether the host stops and the store has the task for the next one: then what ends it
 * here is no end. */
bool ending_is_kept(const struct outcome *outcome, const struct task *task);

/* Lets go of a task that is kept. Nobody hears of it but those that wait for it, which are kept
 * as well. Its memory is the caller's to count (tally.in_chunk). */
void ending_keep(struct outcome *outcome, struct task *task, struct outcome_tally *tally);

/* Ends a task as it has ended in an earlier run; false if it has not. */
bool ending_recall(struct outcome *outcome, struct task *task, struct outcome_tally *tally);
