/* budget: how much weight there is, and who has it: capacity for the whole host, caps for a group
 * and for a job, and for a group a reserve that is its alone. Embedded in admission and guarded by
 * its lock, as are the shares of groups and what a job has. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "accept/job.h"
#include "execute/gate.h"

struct budget {
    _Atomic int32_t capacity; /* written under the lock, read by anybody */
    int32_t reserved;         /* the sum of all reserves */
    int32_t in_use;           /* of everything */
    int32_t common_in_use;    /* of what is not reserved */
};

/* Of a group. */
struct share {
    int32_t max_weight; /* 0: no cap */
    int32_t reserve;
    int32_t in_use, reserve_in_use;
};

/* Returns what can be granted at most, for one batch, to who asks for so much. */
int32_t budget_clamp(const struct budget *budget, const struct share *share, const struct job *job,
                     int32_t weight);

/* Returns whether the job's cap leaves so much, and nobody of it was held for that before. */
bool budget_job_allows(const struct job *job, int32_t weight);

/* Returns whether both caps leave so much. */
bool budget_allows(const struct share *share, const struct job *job, int32_t weight);

/* Returns whether all of it comes out of the group's own reserve. */
bool budget_is_reserved(const struct share *share, int32_t weight);

/* Returns whether the host has so much left for the group. */
bool budget_has_room(const struct budget *budget, const struct share *share, int32_t weight);

/* Takes it for a batch of the job. */
struct grant budget_take(struct budget *budget, struct share *share, struct job *job,
                         int32_t weight);

/* Gives it back. */
void budget_put_back(struct budget *budget, struct share *share, const struct grant *grant);

/* Tells which limit a batch that needs so much runs into; GATE_FREE: none. */
struct gate_reason budget_explain(const struct budget *budget, const struct share *share,
                                  const struct job *job, int32_t needs);
