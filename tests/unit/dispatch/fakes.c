#include "fakes.h"

#include <stdio.h>

struct group fake_groups[FAKE_GROUPS_MOST];
_Atomic int fake_groups_count;
struct group *fake_granted[FAKE_GROUPS_MOST];
int fake_granted_count;

struct type fake_types[FAKE_TYPES] = {{"t0", 0}, {"t1", 1}, {"t2", 2}, {"t3", 3}, {"t4", 4},
                                      {"t5", 5}, {"t6", 6}, {"t7", 7}, {"t8", 8}, {"t9", 9}};
_Atomic bool fake_served[FAKE_TYPES] = {true, true, true, true, true, true, true, true, true, true};

bool registry_flags(struct registry *registry, const struct type *type, uint32_t *flags)
{
    (void)registry;
    *flags = 0;
    return fake_served[type->number];
}

uint32_t registry_types_count(struct registry *registry)
{
    (void)registry;
    return FAKE_TYPES;
}

struct group *group_create(struct executor *executor, const struct group_options *options)
{
    (void)executor;
    cr_assert_lt(fake_groups_count, FAKE_GROUPS_MOST);
    struct group *group = &fake_groups[fake_groups_count++];
    group->options = *options;
    snprintf(group->name, sizeof group->name, "%s", options->name);
    mutex_init(&group->lock);
    task_list_init(&group->got);
    return group;
}

struct group_facts group_facts(struct group *group)
{
    return (struct group_facts){.name = group->name,
                                .queue_capacity = group->options.queue_capacity};
}

const char *group_name(const struct group *group)
{
    return group->name;
}

void *group_party(const struct group *group)
{
    return group->options.party;
}

void group_set_workers(struct group *group, uint32_t workers)
{
    group->options.workers = workers;
}

void group_set_queue_capacity(struct group *group, uint32_t capacity)
{
    group->options.queue_capacity = capacity;
}

bool group_reserve(struct group *group, uint32_t count)
{
    if (count > group_room(group))
        return false;
    group->accepted += count;
    return true;
}

void group_give_back(struct group *group, uint32_t count)
{
    group->accepted -= count;
}

uint32_t group_room(const struct group *group)
{
    uint32_t capacity = group->options.queue_capacity;
    return capacity == 0 ? UINT32_MAX : capacity - group->accepted;
}

void group_push(struct group *group, struct task_list *tasks)
{
    MUTEX_GUARD(&group->lock);
    cr_assert_gt(tasks->count, 0);
    if (!group->closed)
        task_list_append(&group->got, tasks);
}

bool group_granted(struct group *group, const struct grant *grant)
{
    group->granted_count++;
    group->grant = *grant;
    if (!group->refuses && fake_granted_count < FAKE_GROUPS_MOST)
        fake_granted[fake_granted_count++] = group;
    return !group->refuses;
}

/* The fakes make no difference between what a group and what a job beside it is granted. */
bool group_granted_job(struct group *group, const struct grant *grant)
{
    return group_granted(group, grant);
}

void group_refused(struct group *group)
{
    group->refused_count++;
}

struct group_load group_load(struct group *group)
{
    return (struct group_load){.queued = group->load, .workers = group->options.workers};
}
