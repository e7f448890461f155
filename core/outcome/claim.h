/* claim: the key of a task that is unique: while one task of the store holds it, from its release
 * to its end, no other one starts. On the stack of whoever releases the task. */
#pragma once

#include <stdbool.h>

#include "accept/task.h"
#include "outcome/outcome.h"
#include "store/store.h"

struct claim {
    struct outcome_reason reason; /* why the task does not start; points to message */
    char message[STORE_KEY_MOST_BYTES + STORE_HOLDER_BYTES + 80];
};

/* Takes the key of a task (which has one); false, with the reason, if another task holds it, or the
 * store takes no more keys. */
bool claim_take(struct claim *claim, struct store *store, const struct task *task);

/* Gives the key of a task that has ended back, if it holds it. */
void claim_give_back(struct store *store, const struct task *task);
