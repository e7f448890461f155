/* round_robin: each candidate in turn, whatever its load. One turn for all kinds of tasks: it goes
 * on where the last plan ended. */
#include <stdlib.h>

#include "dispatch/scheduler.h"

static void *create(void)
{
    size_t *turn = calloc(1, sizeof *turn);
    if (turn == NULL)
        abort();
    return turn;
}

static void plan_in_turn(void *state, const struct plan *plan, uint32_t *out)
{
    size_t *turn = state;
    for (size_t i = 0; i < plan->tasks_count; i++)
        out[i] = (uint32_t)((*turn)++ % plan->candidates_count);
}

const struct scheduler scheduler_round_robin = {
    .name = "round_robin", .create = create, .destroy = free, .plan = plan_in_turn};
