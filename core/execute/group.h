/* group: a queue of tasks with limits; serves a type or a glob of types. Not threads: workers of
 * the generation whose type is next in line serve it. Created by the router, lives until the
 * executor ends. Any thread may call; what is said to be internal is for the other files of this
 * room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/task.h"
#include "execute/gate.h"
#include "plugin/generation.h"

struct executor;
struct group;
struct worker;

enum { GROUP_WORKERS_MOST = 1024 };

struct group_options {
    const char *name;
    uint32_t workers; /* calls at once, 1 to GROUP_WORKERS_MOST */
    void *party;      /* what the gate knows about it */
};

struct group_load {
    size_t queued;
    uint32_t running; /* batches in progress */
    uint32_t workers;
    uint32_t cpu_milli; /* of a processor that its calls kept busy: at the last heartbeat */
};

/* Creates an empty group; the name is copied. */
struct group *group_create(struct executor *executor, const struct group_options *options);

/* Returns the name it was created with. */
const char *group_name(const struct group *group);

/* Returns what the gate knows about it. */
void *group_party(const struct group *group);

/* Changes how many calls it makes at once, 1 to GROUP_WORKERS_MOST. More begin without delay, too
 * many end as they are. No lock held. */
void group_set_workers(struct group *group, uint32_t workers);

/* Starts nothing more from here on, and gives back what is held for that; calls in progress go on.
 * Purge and cancel work as ever. Once or more; no lock held. */
void group_pause(struct group *group);

/* Ends that. No lock held. */
void group_resume(struct group *group);

/* Takes all tasks of the list (READY, of types that are served) into the queue and sees to it that
 * a worker comes; does not wait. After executor_close they stay in the list. */
void group_push(struct group *group, struct task_list *tasks);

/* Hands over the grant that the group waited for; false if it has nothing to start any more. Called
 * by the gate without locks. */
bool group_granted(struct group *group, const struct grant *grant);

/* Hands over the grant for what has stepped aside of its job; false if it is of no use just now.
 * Called by the gate without locks. */
bool group_granted_job(struct group *group, const struct grant *grant);

/* The group's wait is over without a grant: it may ask anew. Called by the gate without locks. */
void group_refused(struct group *group);

/* Returns how loaded the group is just now. */
struct group_load group_load(struct group *group);
