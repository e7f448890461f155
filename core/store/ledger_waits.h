/* ledger_waits: who waits to hear whether a job is on disk, in the order in which they came.
 * Embedded in the ledger; all but ledger_waits_answer with the store's lock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct sqlite_index;

struct ledger_waits {
    struct store_wait *first, **end;
    size_t count;
};

/* Begins with nobody. */
void ledger_waits_init(struct ledger_waits *waits);

/* Adds one, which is the caller's and stays until it is answered. */
void ledger_waits_add(struct ledger_waits *waits, struct store_wait *wait);

/* Takes those out whose job was given up. */
struct store_wait *ledger_waits_take_refused(struct ledger_waits *waits,
                                             struct sqlite_index *index);

/* Takes those out whose job is among what is durable of the queue, or over already. */
struct store_wait *ledger_waits_take_durable(struct ledger_waits *waits, struct sqlite_index *index,
                                             uint64_t durable);

/* Tells those that were taken that they are durable, or (reason, borrowed for the call) why they
 * never will be. No lock held. */
void ledger_waits_answer(struct store_wait *taken, const char *reason);
