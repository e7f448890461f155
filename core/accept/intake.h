/* intake: the one door through which tasks enter the host. Here a producer waits, outside, for room
 * in the host and in inbound; what is to wait for its time goes to the delayed ones, what needs
 * other tasks is left to those. Created by the host; reader threads submit, and whoever else has
 * read a task. */
#pragma once

#include <stdbool.h>

#include "accept/figures.h"
#include "accept/inbound.h"
#include "accept/job.h"
#include "accept/room.h"
#include "accept/task.h"
#include "store/store.h"

struct intake {
    struct store *store;
    struct inbound *inbound;
    struct room *pending;
    struct figures *figures;
    void *context;
    /* Takes over a task until due_ns; false: it stays the caller's. Any thread. */
    bool (*delay)(void *context, struct task *task, int64_t due_ns);
    /* Takes over tasks (ACCEPTED or READY) that are not to run, since their job or the host
     * stops. */
    void (*drop)(void *context, struct task_list *tasks);
    /* Takes over tasks (ACCEPTED) that have ended in an earlier run (past.h). */
    void (*recall)(void *context, struct task_list *tasks);
    /* Takes over tasks (WAITING) that need others, all of which have ended, and unique ones
     * (ACCEPTED) that need nothing. */
    void (*release)(void *context, struct task_list *tasks);
    /* The room is full, or somebody watches for what is taken and not aside. */
    void (*room_reached)(void *context);
};

/* Brings all tasks of the list (ACCEPTED, of one job) in, in order; blocks while there is no room.
 * What may not enter any more is dropped, but still counted as submitted. False if the job or the
 * host stops: the rest of the job may as well be dropped. Reader thread. */
bool intake_submit(const struct intake *intake, struct task_list *tasks);

/* Has the store know all tasks of the list (ACCEPTED, of one job, or each of a job made by
 * job_create_one). For a store that does not borrow its job keeps its needs. Waits for the disk
 * only while too much is not written yet. Any thread that has read them. */
void intake_store(const struct intake *intake, const struct task_list *tasks);

/* Counts all tasks of such a list, for which room_reserve has taken room, as submitted. They have
 * to enter after that. Any thread. */
void intake_count(const struct intake *intake, const struct task_list *tasks);

/* Both. */
void intake_note(const struct intake *intake, const struct task_list *tasks);

/* Brings all tasks of the list in, of any jobs, that intake_note has taken note of; blocks only
 * while inbound is full. Any thread. */
void intake_enter(const struct intake *intake, struct task_list *tasks);

/* Puts a job that has no tasks at all into the store; any other is put there with its first ones.
 * Who has submitted it is to find that it is over. Any thread. */
void intake_store_empty(const struct intake *intake, struct job *job);

/* Says that the job has all its tasks. Reader thread. */
void intake_seal(const struct intake *intake, struct job *job);
