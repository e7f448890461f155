/* round_robin: each candidate in turn, whatever its load. Every kind of task (a type and its
 * candidates) has a turn of its own: with one for all, two types that alternate would each get to
 * half of their groups only. Kinds that share a place in the table share a turn. */
#include <stdlib.h>

#include "dispatch/scheduler.h"

enum { TURNS = 256 };

static void *create(void)
{
    size_t *turns = calloc(TURNS, sizeof *turns);
    if (turns == NULL)
        abort();
    return turns;
}

static void plan_in_turn(void *state, const struct plan *plan, uint32_t *out)
{
    size_t kind = plan->tasks[0]->type->number * 31 + plan->candidates[0].id * 7;
    size_t *turn = (size_t *)state + (kind + plan->candidates_count) % TURNS;
    for (size_t i = 0; i < plan->tasks_count; i++)
        out[i] = (uint32_t)((*turn)++ % plan->candidates_count);
}

const struct scheduler scheduler_round_robin = {
    .name = "round_robin", .create = create, .destroy = free, .plan = plan_in_turn};
