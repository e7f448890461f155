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

enum group_isolation {
    GROUP_IN_THREADS,   /* of the host, unless a type is PROCESS_ONLY or has to be isolated */
    GROUP_IN_PROCESSES, /* worker processes, see isolate/isolate.h */
};

/* How calls are made. */
struct group_process {
    enum group_isolation isolation;
    uint32_t recycle_after;     /* tasks of a worker process; 0: any number */
    uint64_t memory_most_bytes; /* of a worker process; 0: any amount */
};

struct group_options {
    const char *name;
    uint32_t workers;        /* calls at once, 1 to GROUP_WORKERS_MOST */
    void *party;             /* what the gate knows about it */
    uint32_t number;         /* from 0; of its lane */
    uint32_t queue_capacity; /* see group_reserve; 0: none */
    struct group_process process;
    bool serves_many; /* types: one that is SERIAL may not hold up the others */
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

/* Changes the capacity of group_reserve; what was accepted stays. Any thread. */
void group_set_queue_capacity(struct group *group, uint32_t capacity);

/* How many tasks it has accepted that have not started here, and how many more there may be:
 * whoever takes tasks in from outside reserves for each, so that one slow group does not fill the
 * host. What the host itself brings is accepted in any case. A task says in its .charged which
 * group counts it; the group starts with that when the task comes, and ends it when a worker takes
 * it. */

/* Accepts so many more; false, and none, if that would pass the capacity. Any thread. */
bool group_reserve(struct group *group, uint32_t count);

/* Takes that back for tasks that are not to start here. Any thread. */
void group_give_back(struct group *group, uint32_t count);

/* Returns how many more it accepts; UINT32_MAX: it has no capacity. Any thread. */
uint32_t group_room(const struct group *group);

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

/* A group as outsiders see it. */
struct group_facts {
    const char *name; /* lives as long as the group */
    uint32_t workers;
    bool paused;
    size_t queued;
    uint32_t running;  /* batches, each with one call in progress */
    uint32_t stuck;    /* calls that were given up and have not returned */
    int64_t oldest_ns; /* when the task entered the host that waits longest; 0: none waits */
    uint32_t cpu_milli;
    uint32_t accepted, queue_capacity; /* see group_reserve */
};

/* Returns the facts of the moment. */
struct group_facts group_facts(struct group *group);

enum { GROUP_START_WHY_BYTES = 256 };

/* That a worker process of a group did not start. */
struct group_start {
    uint32_t failures; /* in a row, of one worker; 0: they start */
    int64_t again_ns;  /* when it tries again */
    char why[GROUP_START_WHY_BYTES];
};

/* Why a task that waits in a group has not started. */
enum group_why {
    GROUP_IS_PAUSED,
    GROUP_IS_BUSY,       /* as many calls are in progress as it has workers */
    GROUP_NEEDS_WEIGHT,  /* .weight says how much, and what the limit is */
    GROUP_NEEDS_TURN,    /* of its SERIAL type another call is in progress */
    GROUP_HAS_OTHERS,    /* its turn has not come; .weight says what the first one needs */
    GROUP_HAS_NO_PLUGIN, /* nobody serves its type */
    GROUP_STARTS_FAIL,   /* its worker processes do not start; .start says why */
};

struct group_reason {
    enum group_why why;
    uint32_t workers;
    size_t queued; /* in the group, with this one */
    struct gate_reason weight;
    struct group_start start;
};

/* Tells why the task (QUEUED in this group, kept by its job) has not started. */
struct group_reason group_explain(struct group *group, const struct task *task);

/* Returns how loaded the group is just now. */
struct group_load group_load(struct group *group);
