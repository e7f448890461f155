/* dependents: who waits for whom among the tasks of a checked job while they run, in dense
 * arrays by the tasks' numbers. Made by the job from its graph when the reading is over; any
 * thread ends a task. window.h is the same for a streamed job. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/graph.h"
#include "accept/needed.h"
#include "accept/task.h"

struct dependents;

/* Turns a graph, all of whose tasks are known, around. Every task begun in it has one share more
 * than it needs tasks, its own: dependents_enter gives it up. Running out of memory aborts. */
struct dependents *dependents_create(const struct graph *graph, uint32_t tasks_count);

/* Frees it; clears the pointer; accepts NULL. */
void dependents_destroy(struct dependents **dependents);

/* Says what became of a task that another one needed and that is not among the tasks any more,
 * since it has ended in another host; one that has succeeded need not be named. number: the
 * lower, the earlier it stood in the file. Reader thread. */
void dependents_tell(struct dependents *dependents, uint32_t dependent, uint32_t number,
                     enum task_state state, const char *id);

/* Returns whether a task that has not been released needs others. Any thread. */
bool dependents_wait(const struct dependents *dependents, uint32_t number);

/* Gives up a task's own share, now that it is in the host; true if nothing else is left: the
 * caller releases it, else whoever ends the last that it needs, or whoever takes it before.
 * Reader thread. */
bool dependents_enter(struct dependents *dependents, uint32_t number);

/* Returns whether what a task waits for has not all ended. Any thread. */
bool dependents_lack(const struct dependents *dependents, uint32_t number);

/* Takes a task that is in the host away from whoever would release it: it is the caller's.
 * False if it has been released, or taken. Any thread. */
bool dependents_take(struct dependents *dependents, uint32_t number);

/* Says that a task has ended, in its final state, and adds those that waited for nothing else to
 * the list. chunks: those of the job, in order. Any thread. */
void dependents_end(struct dependents *dependents, const struct task *task,
                    struct chunk *const *chunks, struct task_list *released);

/* Returns what became of all that a released task needs; its id lives as long as the dependents.
 * Whoever released it. */
struct needed dependents_needed(const struct dependents *dependents, uint32_t number);

/* Calls visit with the number of each task that a task needs, ended or not, in order, until it
 * says false. Takes time in proportion to all tasks: for who asks why one waits. Any thread. */
void dependents_visit_needs(const struct dependents *dependents, uint32_t number,
                            bool (*visit)(void *context, uint32_t needed), void *context);
