/* gate: whom a group asks for weight before a task leaves its queue. The answer is dispatch's
 * (admission); this is the face of it that execute sees, wired by the host. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct group;
struct job;

/* Weight that a batch holds; given back once, in full. */
struct grant {
    struct job *job; /* in whose cap it counts */
    int32_t weight;
    int32_t reserved; /* how much of it came out of the group's reserve */
};

struct gate {
    void *context;
    /* Asks for weight for a batch of a job. True: *grant holds it. False: the group is remembered,
     * and group_granted is called once it may go. With the group's lock held; does not block. */
    bool (*ask)(void *context, struct group *group, struct job *job, int32_t weight,
                struct grant *grant);
    /* Gives a grant back, which may let other groups go (group_granted). No lock held. */
    void (*give_back)(void *context, struct group *group, const struct grant *grant);
    /* Returns the weight that weight `auto` stands for at a mean run time, at least 1. */
    int32_t (*weigh)(void *context, int64_t mean_run_ns);
};
