#include "dispatch/budget.h"

#include <assert.h>

int32_t budget_clamp(const struct budget *budget, const struct share *share, const struct job *job,
                     int32_t weight)
{
    int32_t most = budget->capacity - budget->reserved + share->reserve;
    if (share->max_weight > 0 && share->max_weight < most)
        most = share->max_weight;
    if (job->max_weight > 0 && job->max_weight < most)
        most = job->max_weight;
    return weight < most ? weight : most;
}

bool budget_job_allows(const struct job *job, int32_t weight)
{
    return job->max_weight == 0 ||
           (job->held_count == 0 && job->weight_in_use + weight <= job->max_weight);
}

bool budget_allows(const struct share *share, const struct job *job, int32_t weight)
{
    return budget_job_allows(job, weight) &&
           (share->max_weight == 0 || share->in_use + weight <= share->max_weight);
}

static int32_t from_reserve(const struct share *share, int32_t weight)
{
    int32_t left = share->reserve - share->reserve_in_use;
    return weight < left ? weight : left;
}

bool budget_is_reserved(const struct share *share, int32_t weight)
{
    return from_reserve(share, weight) == weight;
}

bool budget_has_room(const struct budget *budget, const struct share *share, int32_t weight)
{
    int32_t common = weight - from_reserve(share, weight);
    return common == 0 || budget->common_in_use + common <= budget->capacity - budget->reserved;
}

struct grant budget_take(struct budget *budget, struct share *share, struct job *job,
                         int32_t weight)
{
    struct grant grant = {.job = job, .weight = weight, .reserved = from_reserve(share, weight)};
    share->in_use += weight;
    share->reserve_in_use += grant.reserved;
    job->weight_in_use += weight;
    budget->in_use += weight;
    budget->common_in_use += weight - grant.reserved;
    return grant;
}

void budget_put_back(struct budget *budget, struct share *share, const struct grant *grant)
{
    share->in_use -= grant->weight;
    share->reserve_in_use -= grant->reserved;
    grant->job->weight_in_use -= grant->weight;
    budget->in_use -= grant->weight;
    budget->common_in_use -= grant->weight - grant->reserved;
    assert(share->in_use >= 0 && share->reserve_in_use >= 0 && budget->common_in_use >= 0);
}

/* What the host has for the group, and how much of that is in use. */
static struct gate_reason of_host(const struct budget *budget, const struct share *share,
                                  enum gate_limit limit)
{
    return (struct gate_reason){.limit = limit,
                                .in_use = budget->common_in_use,
                                .most = budget->capacity - budget->reserved +
                                        (share->reserve - share->reserve_in_use)};
}

struct gate_reason budget_explain(const struct budget *budget, const struct share *share,
                                  const struct job *job, int32_t needs)
{
    if (!budget_job_allows(job, needs))
        return (struct gate_reason){
            .limit = GATE_OF_JOB, .in_use = job->weight_in_use, .most = job->max_weight};
    if (!budget_allows(share, job, needs))
        return (struct gate_reason){
            .limit = GATE_OF_GROUP, .in_use = share->in_use, .most = share->max_weight};
    if (!budget_has_room(budget, share, needs))
        return of_host(budget, share, GATE_OF_HOST);
    return of_host(budget, share, GATE_FREE);
}
