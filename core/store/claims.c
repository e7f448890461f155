#include "store/claims.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

struct claim {
    struct dictionary_entry entry; /* by key */
    char id[STORE_HOLDER_BYTES];
    char key[];
};

void claims_init(struct claims *claims)
{
    dictionary_init(&claims->by_key);
}

void claims_fini(struct claims *claims)
{
    struct dictionary_entry *entry;

    for (uint64_t place = 0; (entry = dictionary_next(&claims->by_key, &place)) != NULL;)
        free(entry);
    dictionary_fini(&claims->by_key);
}

size_t claims_count(const struct claims *claims)
{
    return claims->by_key.count;
}

const char *claims_find(const struct claims *claims, const char *key)
{
    const struct claim *claim = (const struct claim *)dictionary_find(&claims->by_key, key);
    return claim == NULL ? NULL : claim->id;
}

bool claims_have_room(const struct claims *claims, uint64_t most, struct error *error)
{
    return most == 0 || claims->by_key.count < most ||
           error_set(error, "claims_full", "%zu keys are held, the most allowed",
                     claims->by_key.count);
}

void claims_add(struct claims *claims, const char *key, const char *id)
{
    size_t key_bytes = strlen(key) + 1;
    struct claim *claim = memory_grow(NULL, 1, sizeof(*claim) + key_bytes);

    *claim = (struct claim){0};
    memcpy(claim->key, key, key_bytes);
    memcpy(claim->id, id, strlen(id) + 1);
    dictionary_entry_init(&claim->entry, claim->key);
    dictionary_add(&claims->by_key, &claim->entry);
}

bool claims_release(struct claims *claims, const char *key, const char *id)
{
    struct claim *claim = (struct claim *)dictionary_find(&claims->by_key, key);

    if (claim == NULL || strcmp(claim->id, id) != 0)
        return false;
    dictionary_remove(&claims->by_key, &claim->entry);
    free(claim);
    return true;
}

void claims_visit(const struct claims *claims, store_visit_claim *visit, void *context)
{
    const struct dictionary_entry *entry;

    for (uint64_t place = 0; (entry = dictionary_next(&claims->by_key, &place)) != NULL;)
        if (!visit(context, entry->text, ((const struct claim *)entry)->id))
            return;
}
