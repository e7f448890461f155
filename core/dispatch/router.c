#include "dispatch/router.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/thread.h"

struct router {
    struct router_options options;   /* immutable */
    struct lane *configured;         /* immutable; by their place in the options */
    _Atomic(struct route *) *routes; /* by the type's number; written under lock */
    struct mutex lock;
    /* guarded by lock */
    uint32_t lanes_count;
    struct task_list parked;
};

static const struct sluice_map no_labels = {0};

static struct lane make_lane(struct router *router, const struct router_group *group)
{
    struct party *party =
        admission_add(router->options.admission, group->max_weight, group->reserve);
    struct group_options options = {.name = group->name, .workers = group->workers, .party = party};
    return (struct lane){.group = group_create(router->options.executor, &options),
                         .id = router->lanes_count++,
                         .labels = group->labels};
}

struct router *router_create(const struct router_options *options)
{
    struct router *router = calloc(1, sizeof *router);
    if (router == NULL)
        abort();
    router->options = *options;
    mutex_init(&router->lock);
    task_list_init(&router->parked);
    router->configured = calloc(options->groups_count + 1, sizeof *router->configured);
    router->routes = calloc(REGISTRY_TYPES_MOST, sizeof *router->routes);
    if (router->configured == NULL || router->routes == NULL)
        abort();
    for (size_t i = 0; i < options->groups_count; i++)
        router->configured[i] = make_lane(router, &options->groups[i]);
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
    free(router->configured);
    mutex_fini(&router->lock);
    free(router);
    *router_pointer = NULL;
}

void router_set_limits(struct router *router, size_t group, uint32_t workers, int32_t max_weight)
{
    struct group *changed = router->configured[group].group;
    admission_set_cap(router->options.admission, group_party(changed), max_weight);
    group_set_workers(changed, workers);
}

static struct route *route_alloc(size_t lanes)
{
    struct route *route = calloc(1, sizeof *route + lanes * sizeof route->lanes[0]);
    if (route == NULL)
        abort();
    return route;
}

/* A type that nobody configured has a group of its own, so that types never block each other. */
static struct lane own_lane(struct router *router, const struct type *type)
{
    struct router_group own = {.name = type->name,
                               .type = type->name,
                               .labels = &no_labels,
                               .workers = router->options.default_workers};
    return make_lane(router, &own);
}

/* Lock held. */
static struct route *make_route(struct router *router, const struct type *type)
{
    size_t configured = router->options.groups_count;
    struct route *route = route_alloc(configured + 1);
    for (size_t i = 0; i < configured; i++)
        if (fnmatch(router->options.groups[i].type, type->name, 0) == 0)
            route->lanes[route->count++] = router->configured[i];
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

static const char *label_of(const struct sluice_map *labels, const char *key)
{
    for (size_t i = 0; i < labels->count; i++)
        if (strcmp(labels->pairs[i].key, key) == 0)
            return labels->pairs[i].value;
    return NULL;
}

bool router_allows(const struct lane *lane, const struct task *task)
{
    if (task->labels == NULL)
        return true;
    for (size_t i = 0; i < task->labels->count; i++) {
        const char *value = label_of(lane->labels, task->labels->pairs[i].key);
        if (value == NULL || strcmp(value, task->labels->pairs[i].value) != 0)
            return false;
    }
    return true;
}

const struct route *router_find(struct router *router, const struct task *task)
{
    const struct route *route = find_or_make(router, task->type);
    if (task->labels == NULL)
        return route;
    for (size_t i = 0; i < route->count; i++)
        if (router_allows(&route->lanes[i], task))
            return route;
    return NULL;
}

uint32_t router_lanes_count(struct router *router)
{
    MUTEX_GUARD(&router->lock);
    return router->lanes_count;
}

void router_park(struct router *router, struct task *task)
{
    task_move(task, TASK_PARKED);
    MUTEX_GUARD(&router->lock);
    task_list_push(&router->parked, task);
}

void router_unpark(struct router *router, const struct job *job, struct task_list *tasks)
{
    struct task_list kept;
    task_list_init(&kept);
    MUTEX_GUARD(&router->lock);
    for (struct task *task; (task = task_list_pop(&router->parked)) != NULL;)
        task_list_push(job == NULL || task->job == job ? tasks : &kept, task);
    task_list_append(&router->parked, &kept);
}

size_t router_parked(struct router *router)
{
    MUTEX_GUARD(&router->lock);
    return router->parked.count;
}

static void write_labels(const struct sluice_map *labels, char *text, size_t capacity)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < labels->count && length < capacity; i++) {
        int more = snprintf(text + length, capacity - length, "%s%s=%s", i > 0 ? "," : "",
                            labels->pairs[i].key, labels->pairs[i].value);
        length += more > 0 ? (size_t)more : 0;
    }
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
    write_labels(task->labels, labels, sizeof labels);
    snprintf(why, capacity, "no group with labels %s for type '%s'", labels, task->type->name);
    return false;
}
