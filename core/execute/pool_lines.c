/* The lines in which groups wait for the turn of a SERIAL type, and how one leaves these and the
 * ready list; what is aside in a group of many types waits for a turn, too. */
#include "execute/internal.h"

bool pool_take_turn(struct pool *pool, struct turn *turn, struct group *group)
{
    MUTEX_GUARD(&pool->lock);
    if (!turn->taken)
        return turn->taken = true;
    if (group != NULL) {
        group->next_ready = turn->waiting;
        turn->waiting = group;
    }
    return false;
}

bool pool_await_turn(struct pool *pool, struct turn *turn, struct aside *aside)
{
    MUTEX_GUARD(&pool->lock);
    if (!turn->taken)
        return false;
    aside->next_waiting = turn->aside;
    turn->aside = aside;
    return true;
}

static bool unlink_aside(struct aside **at, const struct aside *aside)
{
    while (*at != NULL && *at != aside)
        at = &(*at)->next_waiting;
    if (*at == NULL)
        return false;
    *at = aside->next_waiting;
    return true;
}

bool pool_forgo_turn(struct pool *pool, struct aside *aside)
{
    MUTEX_GUARD(&pool->lock);
    for (uint32_t i = 0; i < pool->generation->offers_count; i++)
        if (unlink_aside(&pool->turns[i].aside, aside))
            return true;
    return false;
}

bool pool_turn_is_taken(struct pool *pool, const struct turn *turn)
{
    MUTEX_GUARD(&pool->lock);
    return turn->taken;
}

void pool_give_turn(struct pool *pool, struct turn *turn, struct aside **awaited)
{
    MUTEX_GUARD(&pool->lock);
    turn->taken = false;
    for (struct aside *aside; (aside = turn->aside) != NULL;) {
        turn->aside = aside->next_waiting;
        aside->next_waiting = *awaited;
        *awaited = aside;
    }
    for (struct group *group; (group = turn->waiting) != NULL;) {
        turn->waiting = group->next_ready;
        pool_push_ready(pool, group);
    }
}

static bool unlink_group(struct group **at, const struct group *group)
{
    while (*at != NULL && *at != group)
        at = &(*at)->next_ready;
    if (*at == NULL)
        return false;
    *at = group->next_ready;
    return true;
}

bool pool_remove(struct pool *pool, struct group *group)
{
    MUTEX_GUARD(&pool->lock);
    if (unlink_group(&pool->ready, group)) {
        pool->ready_count--;
        for (pool->ready_tail = &pool->ready; *pool->ready_tail != NULL;)
            pool->ready_tail = &(*pool->ready_tail)->next_ready;
        return true;
    }
    for (uint32_t i = 0; i < pool->generation->offers_count; i++)
        if (unlink_group(&pool->turns[i].waiting, group))
            return true;
    return false;
}
