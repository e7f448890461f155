/* stored: what a store holds: jobs, their tasks, the attempts of each, and how to ask for them.
 * Plain records without an owner of their own: what a store hands out is valid inside the visit
 * only. Wall times are nanoseconds since 1970. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/types.h"

enum store_state {
#define STATE(name, word, dead) STORE_##name,
#include "store/store_states.def"
#undef STATE
    STORE_STATE_COUNT,
};

/* One state as a member of a set of states. */
#define STORE_SET(state) (1u << (state))

/* Failed for good: kept as dead letters. */
enum {
    STORE_DEAD_SET = 0
#define STATE(name, word, dead) | ((dead) << STORE_##name)
#include "store/store_states.def"
#undef STATE
};

enum {
    STORE_TASKS_MOST = 1 << 24, /* in one job, of a durable store */
    STORE_ATTEMPTS_MOST = 16,   /* a task that was tried more often keeps its latest */
    STORE_KEY_MOST_BYTES = 255,
    STORE_HOLDER_BYTES = 160, /* JOB:ID and its NUL */
};

struct store_job_given {
    const char *id; /* a ULID; unique in the store */
    const char *name;
    const char *file;  /* as the user named it */
    uint32_t document; /* which of that file it is, from 0 */
    int64_t submitted_wall_ns;
    int32_t max_weight; /* 0: none of its own */
    bool fail_fast;
    const char *origin; /* how it came, in its owner's words, for the next host; NULL: nothing */
};

struct store_job {
    struct store_job_given given;
    uint64_t key;         /* the store's own short name of the job, from 1; never given twice */
    uint32_t tasks_count; /* added so far */
    bool sealed;          /* none will be added */
    bool stopped;         /* what has not started of it is not to start any more */
    uint32_t by_state[STORE_STATE_COUNT]; /* tasks, also those whose records are gone */
};

/* What is known of a task when it is added, and never changes. */
struct store_task_given {
    const char *id;
    const char *type;
    const void *params; /* a packed record */
    uint32_t params_bytes;
    uint32_t line;                   /* in the job file */
    const struct sluice_map *labels; /* sorted by key; NULL: none */
    int64_t timeout_ns;
    int32_t weight;
    int8_t priority;
    const void *extra; /* what else its owner needs to take it up again; NULL: nothing was given.
                          Both lie at any address, aligned to nothing. */
    uint32_t extra_bytes;
};

/* One attempt that is over, or what took its place ("skipped: a dependency failed"). */
struct store_attempt {
    uint32_t attempt;
    bool charged;            /* against the task's retries: not if the host interrupted it */
    int64_t started_wall_ns; /* 0: never started */
    int64_t ended_wall_ns;
    const char *reason;  /* a stable word; "" where it succeeded */
    const char *message; /* may be "" */
};

struct store_task {
    const struct store_job *job;
    uint32_t number; /* in its job, from 0 */
    struct store_task_given given;
    enum store_state state;
    uint64_t epoch;      /* with attempt: the name of the only attempt that may end it */
    uint32_t attempt;    /* from 1 */
    uint32_t charged;    /* attempts that were charged */
    int64_t due_wall_ns; /* unfinished and not to start before; 0: at once */
    const struct store_attempt *attempts; /* those that are over, oldest first */
    size_t attempts_count;
    const void *outputs; /* of the last attempt: name NUL text NUL ...; NULL: none kept */
    size_t outputs_bytes;
    const char *log; /* the end of what its attempts wrote, from the start of a line; no NUL */
    size_t log_bytes;
    uint64_t log_dropped_bytes; /* written before that and gone */
};

struct store_position { /* the order of everything: by job, then by number */
    uint64_t job;
    uint32_t number;
};

struct store_places {
    const struct store_position *at;
    size_t count;
};

/* Which tasks; zero or NULL members do not count. */
struct store_query {
    uint64_t job;
    uint32_t states; /* STORE_SET(...) | ... */
    const char *id;
    const char *type;
    const char *label, *label_value;
    const char *reason;    /* of the last attempt */
    int64_t since_wall_ns; /* the last attempt ended then or later */
    bool resume;           /* only what comes behind `after` */
    struct store_position after;
    uint32_t limit;
};

struct store_counts {
    uint64_t jobs;
    uint64_t by_state[STORE_STATE_COUNT]; /* records that are held now */
    uint64_t delayed;                     /* of the unfinished: those with a due time */
    uint64_t finished_bytes, dead_bytes;
    uint64_t finished_dropped, dead_dropped; /* given up for the limits since the opening */
    uint64_t claims;
};

/* Returns the word of a state. Any thread. */
const char *store_state_word(enum store_state state);

/* Returns the state of a word, or -1. Any thread. */
int store_state_find(const char *word);

/* Returns whether a task is one that the query asks for; position and limit do not count. Any
 * thread. */
bool store_query_matches(const struct store_query *query, const struct store_task *task);
