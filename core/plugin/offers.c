#include "plugin/offers.h"

#include <stdlib.h>
#include <string.h>

static bool make_offer(struct generation_code *code, uint32_t index, struct offer *offer,
                       struct error *error)
{
    const struct sluice_type *type = &code->descriptor.types[index];
    struct error why;
    if (!param_table_init(&offer->params, type->params, type->params_size, &why))
        return error_set(error, why.code, "type '%s': %s", type->name, why.message);
    offer->type = code->types[index];
    offer->index = index;
    offer->flags = type->flags;
    offer->help =
        type->help == NULL ? NULL : arena_strndup(&code->texts, type->help, strlen(type->help));
    offer->timeout_ns = type->timeout_ns;
    offer->weight = type->weight == 0 ? 1 : type->weight;
    offer->retry = type->retry;
    offer->execute = type->execute;
    offer->worker_init = type->worker_init;
    offer->worker_exit = type->worker_exit;
    return true;
}

bool offers_make(struct generation_code *code, struct generation *generation, struct offer **offers,
                 uint32_t *count, struct error *error)
{
    size_t types = code->note.types_count;
    *count = 0;
    *offers = calloc(types, sizeof **offers);
    if (*offers == NULL)
        return error_set(error, "no_memory", "out of memory");
    while (*count < types) {
        struct offer *offer = &(*offers)[*count];
        if (!make_offer(code, *count, offer, error))
            return false;
        offer->generation = generation;
        ++*count;
    }
    return true;
}

void offers_free(struct offer **offers, uint32_t *count)
{
    for (uint32_t i = 0; i < *count; i++)
        param_table_fini(&(*offers)[i].params);
    *count = 0;
    free(*offers);
    *offers = NULL;
}
