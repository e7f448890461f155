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

/* A group that the configuration names. Borrowed until the router ends. */
struct router_group {
    const char *name;
    const char *type;                /* a type, or a glob of types */
    const struct sluice_map *labels; /* sorted by key */
    uint32_t workers;
    int32_t max_weight, reserve; /* 0: none */
};

struct router_options {
    struct registry *registry;
    struct executor *executor;
    struct admission *admission;
    const struct router_group *groups;
    size_t groups_count;
    uint32_t default_workers; /* of a group that is made for a type */
};

/* One group as the router sees it. */
struct lane {
    struct group *group;
    uint32_t id; /* dense from 0 */
    const struct sluice_map *labels;
};

/* The lanes that serve a type. Immutable, lives as long as the router. */
struct route {
    size_t count;
    struct lane lanes[];
};

enum router_answer { ROUTER_OK, ROUTER_NO_PLUGIN, ROUTER_NO_LABELS };

/* Creates it and the configured groups. */
struct router *router_create(const struct router_options *options);

/* Frees it (no task is parked); the groups belong to the executor. Clears the pointer; accepts
 * NULL. */
void router_destroy(struct router **router);

/* Changes the limits of the group at this place in the options, at once. Main thread. */
void router_set_limits(struct router *router, size_t group, uint32_t workers, int32_t max_weight);

/* Finds the route of a task's type, making a group if none serves it, and says whether any of its
 * lanes may run the task. Does not block for long. */
enum router_answer router_find(struct router *router, const struct task *task,
                               const struct route **route);

/* Returns whether the lane has all labels of the task. */
bool router_allows(const struct lane *lane, const struct task *task);

/* Returns how many lanes there are: every id is below. */
uint32_t router_lanes_count(struct router *router);

/* Keeps a task (READY) that nobody may run. */
void router_park(struct router *router, struct task *task);

/* Moves all parked tasks of a job (NULL: of all jobs) to the list. */
void router_unpark(struct router *router, const struct job *job, struct task_list *tasks);

/* Returns how many tasks are parked. */
size_t router_parked(struct router *router);

/* Writes why nobody may run the task, as a person would say it, and returns text. */
const char *router_explain(struct router *router, const struct task *task, char *text,
                           size_t capacity);
