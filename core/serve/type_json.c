#include "serve/type_json.h"

#include "plugin/generation.h"
#include "serve/json_text.h"
#include "serve/type_example.h"
#include "support/buffer.h"
#include "support/cleanup.h"

const struct type_flag type_flags[] = {
    {SLUICE_SERIAL, "serial"},
    {SLUICE_IDEMPOTENT, "idempotent"},
    {SLUICE_PROCESS_ONLY, "process_only"},
    {0, NULL},
};

static json_t *flags_json(const struct offer *offer)
{
    json_t *list = json_array();

    for (size_t i = 0; type_flags[i].word != NULL; i++)
        if ((offer->flags & type_flags[i].flag) != 0)
            json_array_append_new(list, json_string(type_flags[i].word));
    return list;
}

static json_t *param_json(const struct param *param)
{
    json_t *choices = json_array();

    for (size_t i = 0; param->choices != NULL && param->choices[i] != NULL; i++)
        json_array_append_new(choices, json_text_or_null(param->choices[i]));
    json_t *json = json_pack(
        "{ss ss sb sb so so so so}", "name", param->name, "kind", type_example_kind(param->kind),
        "required", param->required, "secret", param->secret, "default",
        json_text_or_null(param->secret ? NULL : param->def), "choices", choices, "help",
        json_text_or_null(param->help), "one_of", json_text_or_null(param->one_of));
    if (param->has_range && param->kind == SLUICE_KIND_FLOAT) {
        json_object_set_new(json, "min", json_real(param->float_min));
        json_object_set_new(json, "max", json_real(param->float_max));
    } else if (param->has_range) {
        json_object_set_new(json, "min", json_integer(param->min));
        json_object_set_new(json, "max", json_integer(param->max));
    }
    if (param->min_items > 0)
        json_object_set_new(json, "min_items", json_integer(param->min_items));
    return json;
}

json_t *type_json(const struct offer *offer)
{
    CLEANUP(buffer_fini) struct buffer example = BUFFER_EMPTY;
    const struct generation *generation = offer->generation;
    json_t *params = json_array();

    type_example_write(offer, &example);
    for (size_t i = 0; i < offer->params.count; i++)
        json_array_append_new(params, param_json(&offer->params.rows[i]));
    return json_pack(
        "{ss so so so so si so sf si so so}", "type", offer->type->name, "help",
        json_text_or_null(offer->help), "plugin", json_text_or_null(generation->plugin), "version",
        json_text_or_null(generation->version), "file", json_text_or_null(generation->file),
        "generation", (int)generation->number, "flags", flags_json(offer), "timeout_seconds",
        (double)offer->timeout_ns / 1e9, "weight", offer->weight, "params", params, "example",
        json_text_or_null(buffer_text(&example)));
}
