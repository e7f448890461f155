#include "serve/type_example.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "support/cleanup.h"
#include "support/units.h"

const char *type_example_kind(enum sluice_kind kind)
{
    switch (kind) {
    case SLUICE_KIND_BOOL:
        return "bool";
    case SLUICE_KIND_INT:
        return "int";
    case SLUICE_KIND_FLOAT:
        return "float";
    case SLUICE_KIND_STRING:
        return "string";
    case SLUICE_KIND_DURATION:
        return "duration";
    case SLUICE_KIND_SIZE:
        return "size";
    case SLUICE_KIND_ENUM:
        return "enum";
    case SLUICE_KIND_LIST:
        return "list";
    case SLUICE_KIND_MAP:
        return "map";
    case SLUICE_KIND_ANY:
        return "any";
    }
    return "unknown";
}

/* In double quotes, as YAML and JSON both have them. */
static void put_quoted(struct buffer *text, const char *value)
{
    json_t *json = json_string(value);
    CLEANUP(cleanup_free) char *quoted = json_dumps(json, JSON_ENCODE_ANY);

    json_decref(json);
    buffer_puts(text, quoted == NULL ? "\"\"" : quoted);
}

static void put_word(struct buffer *text, const struct param *param)
{
    bool chosen = param->choices != NULL && param->choices[0] != NULL;
    put_quoted(text, chosen ? param->choices[0] : "text");
}

/* A number inside the range, by preference 1 (second, KiB). */
static int64_t number_for(const struct param *param, int64_t wanted)
{
    if (param->has_range && wanted < param->min)
        return param->min;
    return param->has_range && wanted > param->max ? param->max : wanted;
}

static double real_for(const struct param *param)
{
    if (param->has_range && param->float_min > 1)
        return param->float_min;
    return param->has_range && param->float_max < 1 ? param->float_max : 1;
}

static void put_list(struct buffer *text, const struct param *param)
{
    buffer_puts(text, "[one, two");
    for (uint32_t i = 2; i < param->min_items; i++)
        buffer_puts(text, ", more");
    buffer_puts(text, "]");
}

static void put_value(struct buffer *text, const struct param *param)
{
    char unit[32];

    switch (param->kind) {
    case SLUICE_KIND_BOOL:
        buffer_puts(text, "true");
        return;
    case SLUICE_KIND_INT:
        buffer_printf(text, "%" PRId64, number_for(param, 1));
        return;
    case SLUICE_KIND_FLOAT:
        buffer_printf(text, "%g", real_for(param));
        return;
    case SLUICE_KIND_STRING:
    case SLUICE_KIND_ENUM:
        put_word(text, param);
        return;
    case SLUICE_KIND_DURATION:
        buffer_puts(text, units_format_duration(number_for(param, INT64_C(1000000000)), unit,
                                                sizeof(unit)));
        return;
    case SLUICE_KIND_SIZE:
        buffer_puts(text, units_format_size((uint64_t)number_for(param, 1024), unit, sizeof(unit)));
        return;
    case SLUICE_KIND_LIST:
        put_list(text, param);
        return;
    case SLUICE_KIND_MAP:
        buffer_puts(text, "{key: value}");
        return;
    case SLUICE_KIND_ANY:
        buffer_puts(text, "{}");
        return;
    }
}

static void put_default(struct buffer *text, const struct param *param)
{
    if (param->kind == SLUICE_KIND_STRING || param->kind == SLUICE_KIND_ENUM)
        put_quoted(text, param->def);
    else
        buffer_puts(text, param->def);
}

/* What must be there, the first of each alternative, and what has a default. */
static bool is_shown(const struct param_table *params, size_t row)
{
    const struct param *param = &params->rows[row];
    bool first = param->one_of != NULL;

    for (size_t i = 0; i < row && first; i++)
        first =
            params->rows[i].one_of == NULL || strcmp(params->rows[i].one_of, param->one_of) != 0;
    return param->required || first || (param->def != NULL && !param->secret);
}

void type_example_write(const struct offer *offer, struct buffer *text)
{
    const struct param_table *params = &offer->params;
    size_t shown = 0;

    for (size_t i = 0; i < params->count; i++)
        shown += is_shown(params, i);
    buffer_printf(text, "version: 1\ntasks:\n  - type: %s\n%s", offer->type->name,
                  params->count > 0 ? "    params:\n" : "");
    for (size_t i = 0; i < params->count; i++) {
        const struct param *param = &params->rows[i];
        if (!is_shown(params, i) && (shown > 0 || i > 0))
            continue;
        buffer_printf(text, "      %s: ", param->name);
        if (param->def != NULL && !param->secret)
            put_default(text, param);
        else
            put_value(text, param);
        buffer_puts(text, "\n");
    }
}
