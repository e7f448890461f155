#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/internal.h"

static int compare_slots(const void *left, const void *right)
{
    const struct slot *one = left, *other = right;
    return strcmp(one->type.name, other->type.name);
}

struct slot *slot_find(const struct registry *registry, const char *name)
{
    struct slot wanted = {.type.name = name};
    struct slot *const *node = tfind(&wanted, &registry->slots, compare_slots);
    return node == NULL ? NULL : *node;
}

static void slot_free(void *pointer)
{
    struct slot *slot = pointer;
    free((char *)slot->type.name);
    free(slot);
}

struct slot *slot_get(struct registry *registry, const char *name, struct error *error)
{
    struct slot *slot = slot_find(registry, name);
    uint32_t number = atomic_load(&registry->slots_count);
    if (slot != NULL)
        return slot;
    if (number == REGISTRY_TYPES_MOST) {
        error_set(error, "limit", "more than %d types", REGISTRY_TYPES_MOST);
        return NULL;
    }
    slot = calloc(1, sizeof *slot);
    if (slot != NULL)
        slot->type = (struct type){strdup(name), number};
    if (slot == NULL || slot->type.name == NULL ||
        tsearch(slot, &registry->slots, compare_slots) == NULL)
        abort();
    atomic_store(&registry->slots_count, number + 1);
    return slot;
}

void slots_fini(struct registry *registry)
{
    tdestroy(registry->slots, slot_free);
}
