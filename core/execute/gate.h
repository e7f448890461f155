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

enum gate_answer {
    GATE_GRANTED,
    GATE_WAITS, /* the group is remembered: group_granted follows */
    /* The job's own cap is reached. Group and job are remembered: group_granted_job follows.
     * Meanwhile the group may ask for other jobs. */
    GATE_ASIDE,
};

/* What a batch that asks now would wait for. */
enum gate_limit {
    GATE_FREE,     /* nothing */
    GATE_OF_HOST,  /* the host's capacity, as far as it is not reserved for others */
    GATE_OF_GROUP, /* the group's cap */
    GATE_OF_JOB,   /* the job's cap, or others of the job that came first */
    GATE_IN_LINE,  /* there is room, and others came first */
};

struct gate_reason {
    enum gate_limit limit;
    int32_t needs;
    int32_t in_use, most; /* of that limit; of the host's for GATE_FREE */
};

struct gate {
    void *context;
    /* Asks for weight for a batch of a job; *grant holds it if it is granted. With the group's lock
     * held; does not block. */
    enum gate_answer (*ask)(void *context, struct group *group, struct job *job, int32_t weight,
                            struct grant *grant);
    /* Gives a grant back, which may let other groups go (group_granted). No lock held. */
    void (*give_back)(void *context, struct group *group, const struct grant *grant);
    /* Forgets that the group waits (job NULL), or that a job waits whose tasks stepped aside:
     * others may go then. False: it does not, or is about to be granted. No lock held. */
    bool (*withdraw)(void *context, struct group *group, const struct job *job);
    /* Tells what a batch would wait for. Any lock of a group may be held. */
    struct gate_reason (*explain)(void *context, struct group *group, const struct job *job,
                                  int32_t weight);
    /* Returns the weight that weight `auto` stands for at a mean run time, at least 1. */
    int32_t (*weigh)(void *context, int64_t mean_run_ns);
};
