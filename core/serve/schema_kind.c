#include "serve/schema_kind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "serve/json_text.h"

#define REFERENCE_PATTERN "\\$\\{"
#define INT_PATTERN       "^[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)$"
#define FLOAT_PATTERN     "^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?$"
#define PART_PATTERN      "[0-9]+(\\.[0-9]+)?"
#define DURATION_PATTERN                                                                           \
    "^(0|(?=.)(" PART_PATTERN "d)?(" PART_PATTERN "h)?(" PART_PATTERN "m)?(" PART_PATTERN          \
    "s)?(" PART_PATTERN "ms)?(" PART_PATTERN "us)?(" PART_PATTERN "ns)?)$"
#define SIZE_PATTERN "^[0-9]+(B|[kKMGT]B|[KMGT]iB)?$"
#define TIME_PATTERN "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z$"

json_t *schema_kind_reference(const char *name)
{
    char address[128];
    snprintf(address, sizeof address, "#/$defs/%s", name);
    return json_pack("{ss}", "$ref", address);
}

static json_t *any_of(json_t *one, json_t *other)
{
    return json_pack("{s[oo]}", "anyOf", one, other);
}

/* A typed value, or a text that becomes one. */
static json_t *or_substituted(json_t *schema)
{
    return any_of(schema, schema_kind_reference("substituted"));
}

json_t *schema_kind_pattern(const char *pattern)
{
    return or_substituted(json_pack("{ssss}", "type", "string", "pattern", pattern));
}

/* A number, or the same as text. */
static json_t *number_or(json_t *number, const char *pattern)
{
    json_t *text = json_pack("{ssss}", "type", "string", "pattern", pattern);
    return or_substituted(any_of(number, text));
}

json_t *schema_kind_int(int64_t least, int64_t most)
{
    json_t *number = json_pack("{ss}", "type", "integer");
    if (least > INT64_MIN)
        json_object_set_new(number, "minimum", json_integer(least));
    if (most < INT64_MAX)
        json_object_set_new(number, "maximum", json_integer(most));
    return number_or(number, INT_PATTERN);
}

json_t *schema_kind_float(double least, double most)
{
    json_t *number = json_pack("{ss}", "type", "number");
    if (isfinite(least))
        json_object_set_new(number, "minimum", json_real(least));
    if (isfinite(most))
        json_object_set_new(number, "maximum", json_real(most));
    return number_or(number, FLOAT_PATTERN);
}

/* A word that an editor takes for a number or for true is allowed as that as well. */
json_t *schema_kind_words(const char *const words[])
{
    json_t *allowed = json_array();
    for (size_t i = 0; words[i] != NULL; i++) {
        json_array_append_new(allowed, json_text_or_null(words[i]));
        json_t *value = json_loads(words[i], JSON_DECODE_ANY, NULL);
        if (value != NULL && !json_is_string(value))
            json_array_append(allowed, value);
        json_decref(value);
    }
    return or_substituted(json_pack("{so}", "enum", allowed));
}

json_t *schema_kind_list(json_t *items)
{
    return json_pack("{ssso}", "type", "array", "items", items);
}

json_t *schema_kind_object(void)
{
    return json_pack("{sss{sb}sb}", "type", "object", "properties", "<<", true,
                     "additionalProperties", false);
}

json_t *schema_kind_map(json_t *values)
{
    json_t *object = schema_kind_object();
    json_object_set_new(object, "additionalProperties", values);
    return object;
}

void schema_kind_add(json_t *object, const char *key, json_t *schema)
{
    json_object_set_new(json_object_get(object, "properties"), key, schema);
}

void schema_kind_require(json_t *object, const char *key)
{
    json_t *rules = json_object_get(object, "allOf");
    if (rules == NULL) {
        rules = json_array();
        json_object_set_new(object, "allOf", rules);
    }
    json_array_append_new(
        rules, json_pack("{s[{s[s]}{s[s]}]}", "anyOf", "required", key, "required", "<<"));
}

json_t *schema_kind_definitions(void)
{
    json_t *definitions = json_object();
    json_object_set_new(definitions, "text",
                        json_pack("{s[ssss]}", "type", "string", "number", "boolean", "null"));
    json_object_set_new(definitions, "substituted",
                        json_pack("{ssss}", "type", "string", "pattern", REFERENCE_PATTERN));
    json_object_set_new(
        definitions, "flag",
        or_substituted(json_pack("{s[bbss]}", "enum", true, false, "true", "false")));
    json_object_set_new(
        definitions, "duration",
        any_of(json_pack("{si}", "const", 0), schema_kind_pattern(DURATION_PATTERN)));
    json_object_set_new(
        definitions, "size",
        number_or(json_pack("{sssi}", "type", "integer", "minimum", 0), SIZE_PATTERN));
    json_object_set_new(definitions, "time", schema_kind_pattern(TIME_PATTERN));
    json_object_set_new(definitions, "texts", schema_kind_list(schema_kind_reference("text")));
    json_object_set_new(definitions, "map", schema_kind_map(schema_kind_reference("text")));
    return definitions;
}

static json_t *param_list(const struct param *param)
{
    if (param->min_items == 0)
        return schema_kind_reference("texts");
    json_t *list = schema_kind_list(schema_kind_reference("text"));
    json_object_set_new(list, "minItems", json_integer(param->min_items));
    return list;
}

static json_t *param_value(const struct param *param)
{
    switch (param->kind) {
    case SLUICE_KIND_BOOL:
        return schema_kind_reference("flag");
    case SLUICE_KIND_INT:
        return param->has_range ? schema_kind_int(param->min, param->max)
                                : schema_kind_int(INT64_MIN, INT64_MAX);
    case SLUICE_KIND_FLOAT:
        return param->has_range ? schema_kind_float(param->float_min, param->float_max)
                                : schema_kind_float(-INFINITY, INFINITY);
    case SLUICE_KIND_STRING:
    case SLUICE_KIND_ENUM:
        return param->choices != NULL ? schema_kind_words(param->choices)
                                      : schema_kind_reference("text");
    case SLUICE_KIND_DURATION:
        return schema_kind_reference("duration");
    case SLUICE_KIND_SIZE:
        return schema_kind_reference("size");
    case SLUICE_KIND_LIST:
        return param_list(param);
    case SLUICE_KIND_MAP:
        return schema_kind_reference("map");
    case SLUICE_KIND_ANY:
        return json_object();
    }
    return json_object();
}

json_t *schema_kind_param(const struct param *param)
{
    json_t *schema = param_value(param);
    if (param->help != NULL)
        json_object_set_new(schema, "description", json_text_or_null(param->help));
    if (param->def != NULL && !param->secret)
        json_object_set_new(schema, "default", json_text_or_null(param->def));
    return schema;
}
