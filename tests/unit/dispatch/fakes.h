/* fakes: the two neighbours of dispatch in its tests. Groups that only write down what is brought
 * and granted to them link in place of execute/group.c; a registry of ten types in place of
 * plugin/registry.c. */
#pragma once

#include <criterion/criterion.h>
#include <stdatomic.h>

#include "execute/group.h"
#include "plugin/registry.h"
#include "support/thread.h"

enum { FAKE_TYPES = 10, FAKE_GROUPS_MOST = 400 };

struct group {
    struct group_options options;
    char name[80];
    uint32_t load; /* what group_load says is queued */
    bool closed;   /* takes no tasks */
    uint32_t accepted;
    struct mutex lock;
    struct task_list got;
    /* what admission granted */
    bool refuses;
    int granted_count;
    int refused_count;
    struct grant grant; /* the last one */
};

/* All groups in the order of their making. */
extern struct group fake_groups[FAKE_GROUPS_MOST];
extern _Atomic int fake_groups_count;

/* The groups that were granted something, in order. */
extern struct group *fake_granted[FAKE_GROUPS_MOST];
extern int fake_granted_count;

/* Types "t0" to "t9". */
extern struct type fake_types[FAKE_TYPES];

/* Whether a plugin serves the type; at first each is served. */
extern _Atomic bool fake_served[FAKE_TYPES];
