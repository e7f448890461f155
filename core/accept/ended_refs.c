#include "accept/ended_refs.h"

#include <stdlib.h>

#include "accept/dependents.h"
#include "accept/task_restore.h"
#include "support/memory.h"

enum { RECALLED_AT_ONCE = 1024 };

void ended_refs_fini(struct ended_refs *refs)
{
    free(refs->items);
    refs->items = NULL;
}

void ended_refs_add(struct ended_refs *refs, struct ended_ref ref)
{
    if (refs->count == refs->capacity) {
        refs->capacity = refs->capacity > 0 ? 2 * refs->capacity : 64;
        refs->items = memory_grow(refs->items, refs->capacity, sizeof *refs->items);
    }
    refs->items[refs->count++] = ref;
}

static int compare(const void *one, const void *other)
{
    uint32_t left = ((const struct ended_ref *)one)->place;
    uint32_t right = ((const struct ended_ref *)other)->place;
    return (left > right) - (left < right);
}

static void miss(const struct ended_refs *refs, const struct ended_ref *ref)
{
    if (ref->result == NULL)
        dependents_tell(refs->job->dependents, ref->number, ref->place, TASK_FAILED, "(damaged)");
}

/* Those that the store knows nothing of. */
static void miss_before(struct ended_refs *refs, uint32_t place)
{
    while (refs->told < refs->count && refs->items[refs->told].place < place)
        miss(refs, &refs->items[refs->told++]);
}

static void tell_need(const struct ended_refs *refs, const struct ended_ref *ref,
                      const struct store_task *stored)
{
    enum task_state state = task_state_of(stored->state);
    size_t count = stored->attempts_count;
    if (state != TASK_SUCCEEDED)
        dependents_tell(refs->job->dependents, ref->number, ref->place, state, stored->given.id);
    if (count > 0)
        refs->ended(refs->context, ref->number, stored->attempts[count - 1].ended_wall_ns);
}

static void fill(const struct ended_ref *ref, const struct store_task *stored)
{
    struct buffer outputs = {(char *)(uintptr_t)stored->outputs, stored->outputs_bytes, 0};
    result_fill(ref->result, task_state_of(stored->state),
                stored->outputs != NULL ? &outputs : NULL);
}

static bool tell(void *context, const struct store_task *stored)
{
    struct ended_refs *refs = context;
    miss_before(refs, stored->number);
    for (; refs->told < refs->count && refs->items[refs->told].place == stored->number;
         refs->told++) {
        const struct ended_ref *ref = &refs->items[refs->told];
        if (stored->state == STORE_UNFINISHED)
            miss(refs, ref);
        else if (ref->result == NULL)
            tell_need(refs, ref, stored);
        else
            fill(ref, stored);
    }
    return true;
}

static bool tell_some(struct ended_refs *refs, struct store *store, struct error *error)
{
    struct store_position at[RECALLED_AT_ONCE];
    size_t count = 0;
    for (size_t i = refs->told; i < refs->count && count < RECALLED_AT_ONCE; i++)
        if (count == 0 || at[count - 1].number != refs->items[i].place)
            at[count++] = (struct store_position){refs->job->store_key, refs->items[i].place};
    bool right = store_recall(store, &(struct store_places){at, count}, tell, refs, error);
    miss_before(refs, at[count - 1].number + 1);
    return right;
}

bool ended_refs_tell(struct ended_refs *refs, struct store *store, struct error *error)
{
    bool right = true;
    if (refs->count > 0)
        qsort(refs->items, refs->count, sizeof *refs->items, compare);
    while (right && refs->told < refs->count)
        right = tell_some(refs, store, error);
    return right;
}
