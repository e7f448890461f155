/* load_aware: the candidate with the fewest tasks for each of its workers. The loads are those of
 * the moment of the plan; what the plan itself gives away is added to them. */
#include "dispatch/load.h"
#include "dispatch/scheduler.h"

static void plan_by_load(void *state, const struct plan *plan, uint32_t *out)
{
    load_plan(state, plan, UINT32_MAX, out);
}

const struct scheduler scheduler_load_aware = {.name = "load_aware",
                                               .uses_heartbeat = true,
                                               .create = load_create,
                                               .destroy = load_destroy,
                                               .plan = plan_by_load};
