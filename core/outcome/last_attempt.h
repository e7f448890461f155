/* last_attempt: how the last attempt of a task that waits for its next one has failed, as the store
 * has kept it. On the stack of whoever ends the task. */
#pragma once

#include "accept/task.h"
#include "store/store.h"
#include "support/buffer.h"

struct last_attempt {
    struct buffer reason, message;
};

/* Copies the reason and the message of the last attempt that was charged; both are empty if none
 * is known. May block. */
void last_attempt_find(struct last_attempt *last, struct store *store, const struct task *task);

/* Frees what was copied. Fits CLEANUP. */
void last_attempt_fini(struct last_attempt *last);
