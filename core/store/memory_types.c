#include "store/memory_types.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct counted {
    struct dictionary_entry entry; /* by name */
    uint64_t count;
    char name[];
};

void memory_types_init(struct memory_types *types)
{
    dictionary_init(&types->by_name);
}

void memory_types_fini(struct memory_types *types)
{
    struct dictionary_entry *entry;

    for (uint64_t place = 0; (entry = dictionary_next(&types->by_name, &place)) != NULL;)
        free(entry);
    dictionary_fini(&types->by_name);
}

void memory_types_add(struct memory_types *types, const char *type)
{
    struct counted *counted = (struct counted *)dictionary_find(&types->by_name, type);

    if (counted == NULL) {
        size_t bytes = strlen(type) + 1;
        counted = calloc(1, sizeof(*counted) + bytes);
        if (counted == NULL)
            abort();
        dictionary_entry_init(&counted->entry, memcpy(counted->name, type, bytes));
        dictionary_add(&types->by_name, &counted->entry);
    }
    counted->count++;
}

void memory_types_remove(struct memory_types *types, const char *type)
{
    struct counted *counted = (struct counted *)dictionary_find(&types->by_name, type);

    assert(counted != NULL);
    if (--counted->count > 0)
        return;
    dictionary_remove(&types->by_name, &counted->entry);
    free(counted);
}

void memory_types_visit(const struct memory_types *types, store_visit_type *visit, void *context)
{
    const struct dictionary_entry *entry;

    for (uint64_t place = 0; (entry = dictionary_next(&types->by_name, &place)) != NULL;) {
        const struct counted *counted = (const struct counted *)entry;
        if (!visit(context, counted->name, counted->count))
            return;
    }
}
