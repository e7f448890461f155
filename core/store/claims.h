/* claims: who holds which key, in memory: of a `unique` task the key, and the id that holds it.
 * Embedded in a backend of the store, guarded by its lock. */
#pragma once

#include <stddef.h>

#include "store/store.h"
#include "support/dictionary.h"

struct claims {
    struct dictionary by_key;
};

/* Makes it empty; nothing is allocated yet. */
void claims_init(struct claims *claims);

/* Frees everything. */
void claims_fini(struct claims *claims);

/* Returns how many keys are held. */
size_t claims_count(const struct claims *claims);

/* Returns the holder of a key; NULL if nobody holds it. */
const char *claims_find(const struct claims *claims, const char *key);

/* Gives a key that nobody holds to an id. Running out of memory aborts. */
void claims_add(struct claims *claims, const char *key, const char *id);

/* Returns whether one more may be held; false with a message if there are `most` (0: no such
 * limit). */
bool claims_have_room(const struct claims *claims, uint64_t most, struct error *error);

/* Visits all, until the visit says that it is enough. */
void claims_visit(const struct claims *claims, store_visit_claim *visit, void *context);

/* Takes a key from this id; false if it does not hold it. */
bool claims_release(struct claims *claims, const char *key, const char *id);
