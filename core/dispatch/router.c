#include "dispatch/router.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job.h"
#include "dispatch/router_internal.h"
#include "dispatch/labels.h"
#include "support/log.h"
#include "support/memory.h"

static const struct sluice_map no_labels = {0};
static const struct sluice_map *const _Atomic never_labels = &no_labels;

static struct lane make_lane(struct router *router, const struct router_group *group)
{
    struct party *party =
        admission_add(router->options.admission, group->max_weight, group->reserve);
    uint32_t id = router->lanes_count++;
    struct group_options options = {.name = group->name,
                                    .workers = group->workers,
                                    .party = party,
                                    .number = id,
                                    .queue_capacity = group->queue_capacity,
                                    .process = group->process,
                                    .serves_many = strpbrk(group->type, "*?[") != NULL};
    struct lane lane = {.group = group_create(router->options.executor, &options),
                        .id = id,
                        .labels = &never_labels};
    if (id < UINT16_MAX)
        atomic_store(&router->groups[id], lane.group);
    return lane;
}

static void *keep(struct router *router, size_t bytes)
{
    void *memory = arena_alloc(&router->label_sets, bytes, alignof(max_align_t));
    if (memory == NULL)
        abort();
    return memory;
}

static const char *keep_text(struct router *router, const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(keep(router, bytes), text, bytes);
}

static void set_labels(struct router *router, struct place *place, const struct sluice_map *labels)
{
    const struct sluice_map *before = atomic_load(&place->labels);
    if (before != NULL && labels_equal(before, labels))
        return;
    struct sluice_pair *pairs = keep(router, (labels->count + 1) * sizeof *pairs);
    for (size_t i = 0; i < labels->count; i++)
        pairs[i] = (struct sluice_pair){.key = keep_text(router, labels->pairs[i].key),
                                        .value = keep_text(router, labels->pairs[i].value)};
    struct sluice_map *map = keep(router, sizeof *map);
    *map = (struct sluice_map){.count = labels->count, .pairs = pairs};
    atomic_store(&place->labels, map);
}

static void make_place(struct router *router, struct place *place, const struct router_group *group)
{
    set_labels(router, place, group->labels);
    place->lane = make_lane(router, group);
    place->workers = group->workers;
    place->lane.labels = &place->labels;
}

struct router *router_create(const struct router_options *options)
{
    struct router *router = calloc(1, sizeof *router);
    if (router == NULL)
        abort();
    router->options = *options;
    router->default_workers = options->default_workers;
    mutex_init(&router->lock);
    task_list_init(&router->parked);
    arena_init(&router->label_sets, 4096, 0);
    router->places = calloc(options->groups_count + 1, sizeof *router->places);
    router->routes = calloc(REGISTRY_TYPES_MOST, sizeof *router->routes);
    router->warned = calloc(REGISTRY_TYPES_MOST, sizeof *router->warned);
    router->groups = calloc(UINT16_MAX, sizeof *router->groups);
    if (router->places == NULL || router->routes == NULL || router->warned == NULL ||
        router->groups == NULL)
        abort();
    for (size_t i = 0; i < options->groups_count; i++)
        make_place(router, &router->places[i], &options->groups[i]);
    return router;
}

void router_destroy(struct router **router_pointer)
{
    struct router *router = *router_pointer;
    if (router == NULL)
        return;
    assert(router->parked.count == 0);
    for (uint32_t i = 0; i < registry_types_count(router->options.registry); i++)
        free(atomic_load(&router->routes[i]));
    free(router->routes);
    free(router->warned);
    free((void *)router->groups);
    free(router->places);
    free(router->own);
    arena_fini(&router->label_sets);
    mutex_fini(&router->lock);
    free(router);
    *router_pointer = NULL;
}

void router_set_group(struct router *router, size_t place, const struct router_group *group)
{
    struct place *at = &router->places[place];
    struct group *changed = at->lane.group;
    admission_set_cap(router->options.admission, group_party(changed), group->max_weight);
    if (at->workers != group->workers)
        group_set_workers(changed, group->workers);
    at->workers = group->workers;
    group_set_queue_capacity(changed, group->queue_capacity);
    set_labels(router, at, group->labels);
}

/* A group is in the list already, or made with the new number. */
static struct group *own_group(struct router *router, size_t index)
{
    MUTEX_GUARD(&router->lock);
    return index < router->own_count ? router->own[index] : NULL;
}

void router_set_default_workers(struct router *router, uint32_t workers)
{
    mutex_lock(&router->lock);
    bool stays = router->default_workers == workers;
    router->default_workers = workers;
    mutex_unlock(&router->lock);
    struct group *group;
    for (size_t i = 0; !stays && (group = own_group(router, i)) != NULL; i++)
        group_set_workers(group, workers);
}

static struct route *route_alloc(size_t lanes)
{
    struct route *route = calloc(1, sizeof *route + lanes * sizeof route->lanes[0]);
    if (route == NULL)
        abort();
    return route;
}

/* A type that nobody configured has a group of its own, so that types never block each other. Lock
 * held. */
static struct lane own_lane(struct router *router, const struct type *type)
{
    struct router_group own = {
        .name = type->name,
        .type = type->name,
        .workers = router->default_workers,
        .process = {.isolation = router->options.default_isolation},
    };
    struct lane lane = make_lane(router, &own);
    router->own = memory_grow(router->own, router->own_count + 1, sizeof *router->own);
    router->own[router->own_count++] = lane.group;
    return lane;
}

/* Lock held. */
static struct route *make_route(struct router *router, const struct type *type)
{
    size_t configured = router->options.groups_count;
    struct route *route = route_alloc(configured + 1);
    for (size_t i = 0; i < configured; i++)
        if (fnmatch(router->options.groups[i].type, type->name, 0) == 0)
            route->lanes[route->count++] = router->places[i].lane;
    if (route->count == 0)
        route->lanes[route->count++] = own_lane(router, type);
    return route;
}

static struct route *find_or_make(struct router *router, const struct type *type)
{
    _Atomic(struct route *) *place = &router->routes[type->number];
    struct route *route = atomic_load_explicit(place, memory_order_acquire);
    if (route != NULL)
        return route;
    MUTEX_GUARD(&router->lock);
    route = atomic_load_explicit(place, memory_order_acquire);
    if (route == NULL) {
        route = make_route(router, type);
        atomic_store_explicit(place, route, memory_order_release);
    }
    return route;
}

bool router_allows(const struct lane *lane, const struct task *task, uint32_t *extra)
{
    const struct sluice_map *labels = atomic_load_explicit(lane->labels, memory_order_acquire);
    if (!labels_include(labels, task->labels))
        return false;
    *extra = (uint32_t)(labels->count - (task->labels == NULL ? 0 : task->labels->count));
    return true;
}

const struct route *router_find(struct router *router, const struct task *task)
{
    const struct route *route = find_or_make(router, task->type);
    uint32_t extra;
    if (task->labels == NULL)
        return route;
    for (size_t i = 0; i < route->count; i++)
        if (router_allows(&route->lanes[i], task, &extra))
            return route;
    return NULL;
}

uint32_t router_lanes_count(struct router *router)
{
    MUTEX_GUARD(&router->lock);
    return router->lanes_count;
}

/* Said of the first task of a type only: the others are counted when they are skipped. */
static void warn_of_labels(struct router *router, const struct task *task)
{
    char labels[256];
    if (router_find(router, task) != NULL ||
        atomic_exchange_explicit(&router->warned[task->type->number], true, memory_order_relaxed))
        return;
    labels_write(task->labels, labels, sizeof labels);
    log_warning("a task waits for a group with its labels", LOG_TEXT("file", task->job->file),
                LOG_NUMBER("line", task->line), LOG_TEXT("task", task->id),
                LOG_TEXT("type", task->type->name), LOG_TEXT("labels", labels));
}

struct group *router_find_group(struct router *router, const char *name)
{
    struct group *group;
    for (size_t i = 0; i < router->options.groups_count; i++)
        if (strcmp(router->options.groups[i].name, name) == 0)
            return router->places[i].lane.group;
    for (size_t i = 0; (group = own_group(router, i)) != NULL; i++)
        if (strcmp(group_name(group), name) == 0)
            return group;
    return NULL;
}

void router_visit(struct router *router,
                  void (*visit)(void *context, const struct router_facts *facts), void *context)
{
    struct group *group;
    for (size_t i = 0; i < router->options.groups_count; i++) {
        struct router_facts facts = {.group = router->places[i].lane.group,
                                     .type = router->options.groups[i].type,
                                     .labels = atomic_load(&router->places[i].labels)};
        visit(context, &facts);
    }
    for (size_t i = 0; (group = own_group(router, i)) != NULL; i++) {
        struct router_facts facts = {
            .group = group, .type = group_name(group), .labels = &no_labels};
        visit(context, &facts);
    }
}

void router_park(struct router *router, struct task *task)
{
    warn_of_labels(router, task);
    task_move(task, TASK_PARKED);
    MUTEX_GUARD(&router->lock);
    task_list_push(&router->parked, task);
}

void router_unpark(struct router *router, struct task_list *tasks)
{
    MUTEX_GUARD(&router->lock);
    task_list_append(tasks, &router->parked);
}

void router_purge(struct router *router, const struct job *job, struct task_list *purged)
{
    struct task_list kept;
    task_list_init(&kept);
    MUTEX_GUARD(&router->lock);
    for (struct task *task; (task = task_list_pop(&router->parked)) != NULL;) {
        bool goes = (job == NULL || task->job == job) && job_stops(task);
        task_list_push(goes ? purged : &kept, task);
    }
    task_list_append(&router->parked, &kept);
}

size_t router_parked(struct router *router)
{
    MUTEX_GUARD(&router->lock);
    return router->parked.count;
}

bool router_may_run(struct router *router, const struct task *task, char *why, size_t capacity)
{
    uint32_t flags;
    char labels[256];
    if (!registry_flags(router->options.registry, task->type, &flags)) {
        snprintf(why, capacity, "no plugin for type '%s'", task->type->name);
        return false;
    }
    if (router_find(router, task) != NULL)
        return true;
    labels_write(task->labels, labels, sizeof labels);
    snprintf(why, capacity, "no group with labels %s for type '%s'", labels, task->type->name);
    return false;
}
