/* idempotency: which requests with an Idempotency-Key were answered, and how, so that a client that
 * has lost an answer may ask again without having its tasks run twice. In memory, bounded by count,
 * bytes and age: the oldest go first. With a durable store each job says by which request it came
 * (idempotency_note, as one with the job), so that the next daemon knows the answers of those whose
 * jobs the store still has. Created by the daemon; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"
#include "support/clock.h"

struct idempotency;

enum {
    IDEMPOTENCY_KEY_MOST_BYTES = 200, /* printable ASCII */
    IDEMPOTENCY_KEYS_MOST = 100 * 1000,
    IDEMPOTENCY_MOST_BYTES = 32 * 1024 * 1024, /* of all keys and answers, but for the last */
};
#define IDEMPOTENCY_AGE_NS (INT64_C(24) * 3600 * NS_PER_S)

/* What is known of a key. */
enum idempotency_answer {
    IDEMPOTENCY_NEW,   /* it is the caller's now, until idempotency_keep or idempotency_forget */
    IDEMPOTENCY_BUSY,  /* the first request with it is not answered yet */
    IDEMPOTENCY_KNOWN, /* *answer is a copy of what was answered */
    IDEMPOTENCY_OTHER, /* it came with another body */
};

/* Creates an empty memory. */
struct idempotency *idempotency_create(void);

/* Frees it; clears the pointer; accepts NULL. */
void idempotency_destroy(struct idempotency **idempotency);

/* Returns whether a key is one that may be used. */
bool idempotency_key_is_valid(const char *key);

/* Begins a request with a key (valid) and a body. */
enum idempotency_answer idempotency_begin(struct idempotency *idempotency, const char *key,
                                          const char *body, size_t length, struct buffer *answer);

/* Adds a note about a request that was begun: its key and which body it had, in one line. */
void idempotency_note(struct idempotency *idempotency, const char *key, struct buffer *note);

/* Takes up a request that an earlier daemon has answered, so long ago, of which this note was
 * made, if it is one. Of those with the same key the last one counts. */
void idempotency_restore(struct idempotency *idempotency, const char *note, int64_t age_ns,
                         const char *answer);

/* Remembers the answer of a request that was begun. */
void idempotency_keep(struct idempotency *idempotency, const char *key, const char *answer);

/* Forgets a request that was begun and came to nothing: it may be sent again. */
void idempotency_forget(struct idempotency *idempotency, const char *key);
