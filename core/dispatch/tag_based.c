/* tag_based: the most specific match. All candidates have the labels that the tasks ask for; those
 * come first that have the fewest others, so that a group with a special label is left to the tasks
 * that need it. The least loaded among equals. */
#include "dispatch/load.h"
#include "dispatch/scheduler.h"

static void plan_by_labels(void *state, const struct plan *plan, uint32_t *out)
{
    uint32_t fewest = UINT32_MAX;
    for (size_t i = 0; i < plan->candidates_count; i++)
        if (plan->candidates[i].extra_labels < fewest)
            fewest = plan->candidates[i].extra_labels;
    load_plan(state, plan, fewest, out);
}

const struct scheduler scheduler_tag_based = {.name = "tag_based",
                                              .uses_heartbeat = true,
                                              .create = load_create,
                                              .destroy = load_destroy,
                                              .plan = plan_by_labels};
