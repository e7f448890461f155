/* performer: makes the only calls into a plugin's execute, worker_init and worker_exit. A worker
 * thread of the host has one, and so has a worker process: it knows nothing of tasks, so that both
 * do the same. Embedded by its owner; one thread, but for what call.h allows others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plugin/call.h"
#include "plugin/offer.h"

enum answer_how {
    ANSWER_RETURNED,  /* execute did */
    ANSWER_NO_WORKER, /* worker_init has refused, as .message says */
    ANSWER_NO_PARAMS, /* the parameters do not fit the plugin's table, as .message says */
};

/* What a call came to; the texts live until the performer's next call. */
struct answer {
    enum answer_how how;
    int32_t status; /* of execute: what it returned, which may be any number */
    int64_t try_again_ns;
    const char *code;             /* that the plugin gave; may be empty */
    const char *message;          /* the same */
    const struct buffer *outputs; /* name NUL text NUL ...; NULL: none */
};

struct performer {
    struct call call; /* begun and ended by the owner, around performer_run */
    void *self;       /* what init has returned */
    void **contexts;  /* by the offer's index: what worker_init set */
    bool *began;      /* by the offer's index: worker_init has succeeded, or there is none */
    void *params;
    size_t params_capacity;
};

/* Makes it ready for a plugin with so many types; self is what its functions get. */
void performer_init(struct performer *performer, void *self, uint32_t offers_count);

/* Frees it; no call is in progress, and performer_leave was called. */
void performer_fini(struct performer *performer);

/* Calls worker_init unless it has succeeded before, or there is none; false: it has refused, and
 * *answer says so. Within a call of .call. */
bool performer_begin(struct performer *performer, const struct offer *offer, struct answer *answer);

/* Calls the plugin with the packed parameters: performer_begin, then execute. Within a call of
 * .call. */
void performer_run(struct performer *performer, const struct offer *offer,
                   struct params_text record, struct answer *answer);

/* Calls worker_exit for every type that was begun. The last call. */
void performer_leave(struct performer *performer, const struct offer *offers, uint32_t count);
