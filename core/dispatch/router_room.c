/* Places in groups: which group accepts a task before it is routed, and whom it is promised to. */
#include <stdlib.h>

#include "dispatch/router_internal.h"
#include "support/cleanup.h"

struct group *router_charged(struct router *router, const struct task *task)
{
    uint16_t charged = atomic_load(&task->charged);
    return charged == 0 ? NULL : atomic_load(&router->groups[charged - 1]);
}

void router_discharge(struct router *router, struct task *task)
{
    struct group *group = router_charged(router, task);
    if (group == NULL)
        return;
    group_give_back(group, 1);
    atomic_store(&task->charged, 0);
}

/* A place that is looked for. */
struct wanted {
    const struct router_turn *turn;
    const struct lane *lane; /* NULL: no lane may run the task, and nobody counts it */
    uint32_t room;           /* there */
};

/* Only a configured group has a capacity. */
static struct place *place_of(const struct router *router, const struct lane *lane)
{
    return lane->id < router->options.groups_count ? &router->places[lane->id] : NULL;
}

static uint32_t room_of(const struct router *router, const struct lane *lane, uint64_t round)
{
    const struct place *place = place_of(router, lane);
    bool promised = round != 0 && place != NULL && atomic_load(&place->promised) >= round;
    return promised ? 0 : group_room(lane->group);
}

/* Finds the lane that may run the task and accepts most. */
static void find_roomiest(struct router *router, const struct task *task, struct wanted *wanted)
{
    const struct route *route = router_find(router, task);
    uint32_t extra;
    wanted->lane = NULL;
    for (size_t i = 0; route != NULL && i < route->count; i++) {
        const struct lane *lane = &route->lanes[i];
        uint32_t room = room_of(router, lane, wanted->turn->round);
        if (lane->id < UINT16_MAX && router_allows(lane, task, &extra) &&
            (wanted->lane == NULL || room > wanted->room)) {
            wanted->lane = lane;
            wanted->room = room;
        }
    }
}

/* A group that has no capacity is full for nobody, and promised to nobody. */
static bool reserve_one(struct router *router, struct task *task, struct wanted *wanted)
{
    find_roomiest(router, task, wanted);
    if (wanted->lane == NULL)
        return true;
    if (wanted->room == 0 || !group_reserve(wanted->lane->group, 1))
        return false;
    atomic_store(&task->charged, (uint16_t)(wanted->lane->id + 1));
    return true;
}

/* The lane was full for who has this turn; what was promised to him before stays so. */
static void promise(struct router *router, const struct lane *lane, const struct router_turn *turn)
{
    struct place *full = place_of(router, lane);
    if (full == NULL || turn->round == 0)
        return;
    MUTEX_GUARD(&router->lock);
    if (full->promised < turn->round)
        full->promised_to = turn->ticket;
    for (size_t i = 0; i < router->options.groups_count; i++) {
        struct place *place = &router->places[i];
        if (place->promised_to == turn->ticket && place->promised < turn->round)
            atomic_store(&place->promised, turn->round);
    }
}

bool router_reserve(struct router *router, struct task_list *tasks, const struct router_turn *turn,
                    const char **full)
{
    struct wanted wanted = {.turn = turn};
    for (struct task *task = tasks->head; task != NULL; task = task->next) {
        if (reserve_one(router, task, &wanted))
            continue;
        *full = group_name(wanted.lane->group);
        for (struct task *before = tasks->head; before != task; before = before->next)
            router_discharge(router, before);
        promise(router, wanted.lane, turn);
        return false;
    }
    return true;
}

/* The room that each configured group has when it is empty; all others have no limit. */
static uint32_t *empty_rooms(struct router *router)
{
    uint32_t *rooms = calloc(router->options.groups_count + 1, sizeof *rooms);
    if (rooms == NULL)
        abort();
    for (size_t i = 0; i < router->options.groups_count; i++) {
        uint32_t capacity = group_facts(router->places[i].lane.group).queue_capacity;
        rooms[i] = capacity == 0 ? UINT32_MAX : capacity;
    }
    return rooms;
}

/* As roomiest, in these rooms; false if there is no place. */
static bool take_place(struct router *router, const struct task *task, uint32_t *rooms)
{
    const struct route *route = router_find(router, task);
    uint32_t *best = NULL, extra;
    for (size_t i = 0; route != NULL && i < route->count; i++) {
        const struct lane *lane = &route->lanes[i];
        if (!router_allows(lane, task, &extra))
            continue;
        if (lane->id >= router->options.groups_count)
            return true;
        if (best == NULL || rooms[lane->id] > *best)
            best = &rooms[lane->id];
    }
    if (best == NULL || *best == UINT32_MAX)
        return true;
    return *best > 0 && (*best)-- > 0;
}

bool router_may_reserve(struct router *router, const struct task_list *tasks)
{
    CLEANUP(cleanup_free) uint32_t *rooms = empty_rooms(router);
    for (const struct task *task = tasks->head; task != NULL; task = task->next)
        if (!take_place(router, task, rooms))
            return false;
    return true;
}
