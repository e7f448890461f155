/* router: which groups may run a task: those that serve its type and have all its labels. Keeps the
 * groups, makes one for a type that nobody configured, and parks what nobody may run. Created by
 * the host; dispatcher threads ask, any thread may look. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/task.h"
#include "dispatch/admission.h"
#include "execute/executor.h"
#include "execute/group.h"
#include "plugin/registry.h"

struct router;

/* A group that the configuration names. Name and type are borrowed until the router ends, labels
 * are copied. */
struct router_group {
    const char *name;
    const char *type;                /* a type, or a glob of types */
    const struct sluice_map *labels; /* sorted by key */
    uint32_t workers;
    int32_t max_weight, reserve; /* 0: none */
    uint32_t queue_capacity;     /* 0: none */
    struct group_process process;
};

struct router_options {
    struct registry *registry;
    struct executor *executor;
    struct admission *admission;
    const struct router_group *groups;
    size_t groups_count;
    uint32_t default_workers;               /* of a group that is made for a type */
    enum group_isolation default_isolation; /* the same */
};

/* One group as the router sees it. */
struct lane {
    struct group *group;
    uint32_t id; /* dense from 0 */
    /* Where its labels are now; what was read there lives as long as the router. */
    const struct sluice_map *const _Atomic *labels;
};

/* The lanes that serve a type. Immutable, lives as long as the router. */
struct route {
    size_t count;
    struct lane lanes[];
};

/* Creates it and the configured groups. */
struct router *router_create(const struct router_options *options);

/* Frees it (no task is parked); the groups belong to the executor. Clears the pointer; accepts
 * NULL. */
void router_destroy(struct router **router);

/* Changes the group at this place in the options to what is said here, but for name, type and
 * reserve. At once for the limits; labels hold for what is routed from now on; workers only if
 * they are not those that were said before. Main thread. */
void router_set_group(struct router *router, size_t place, const struct router_group *group);

/* Changes the workers of each group that was or will be made for a type, if they are not those that
 * were said before. Main thread. */
void router_set_default_workers(struct router *router, uint32_t workers);

/* Returns the route of a task's type, making a group if none serves it; NULL if none of its lanes
 * has all labels of the task. Whether a plugin serves the type is not asked here: the group does,
 * under its lock, when a worker is to be called. Does not block for long. */
const struct route *router_find(struct router *router, const struct task *task);

/* Returns whether the lane has all labels of the task; *extra is how many others it has. */
bool router_allows(const struct lane *lane, const struct task *task, uint32_t *extra);

/* Returns how many lanes there are: every id is below. */
uint32_t router_lanes_count(struct router *router);

/* Who wants places. Those who wait for them are tried in rounds, each in the order in which they
 * came. A group that was full for one is promised to him: for those who are tried behind him in
 * that round it is full, so that it will have room for all that he needs. It stays promised to him,
 * though he may need places elsewhere, too, until he is tried in vain no more. */
struct router_turn {
    uint64_t ticket; /* his, in every round */
    uint64_t round;  /* from 1 on, one more each time; 0: he does not wait, and takes what there is
                      */
};

/* Reserves a place (group_reserve) for each task of a list, which no group has accepted yet: in the
 * lane that may run it and has most room, one without a capacity if there is one. All or none;
 * false names the group that is full. Any thread. */
bool router_reserve(struct router *router, struct task_list *tasks, const struct router_turn *turn,
                    const char **full);

/* Returns whether the tasks of a list could have their places if no other task had one. Any thread.
 * */
bool router_may_reserve(struct router *router, const struct task_list *tasks);

/* Gives back the place of a task that will not start in the group that has accepted it, if one has.
 * Its owner. */
void router_discharge(struct router *router, struct task *task);

/* Returns the group that has accepted the task, or NULL. Any thread. */
struct group *router_charged(struct router *router, const struct task *task);

/* Returns the group of a name, or NULL. Any thread. */
struct group *router_find_group(struct router *router, const char *name);

/* A group as outsiders see it. */
struct router_facts {
    struct group *group;
    const char *type;                /* or a glob of types */
    const struct sluice_map *labels; /* lives as long as the router */
};

/* Shows every group: those that the configuration names in its order, then those that were made for
 * a type. No lock held meanwhile. Any thread. */
void router_visit(struct router *router,
                  void (*visit)(void *context, const struct router_facts *facts), void *context);

/* Keeps a task (READY) that nobody may run; the log tells of the first of a type whose labels no
 * group has. */
void router_park(struct router *router, struct task *task);

/* Moves all parked tasks to the list. */
void router_unpark(struct router *router, struct task_list *tasks);

/* Moves the parked tasks of a job (NULL: of all jobs) that are not to start any more to the
 * list. */
void router_purge(struct router *router, const struct job *job, struct task_list *purged);

/* Returns how many tasks are parked. */
size_t router_parked(struct router *router);

/* Returns whether somebody may run the task now; if not, writes why, as a person would say it. Not
 * for the way of every task: takes the registry's lock. */
bool router_may_run(struct router *router, const struct task *task, char *why, size_t capacity);
