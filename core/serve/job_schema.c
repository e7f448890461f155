#include "serve/job_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_file.h"
#include "accept/job_file/job_keys.h"
#include "accept/job_file/job_retry.h"
#include "accept/task.h"
#include "plugin/param_one_of.h"
#include "serve/json_text.h"
#include "serve/schema_kind.h"

/* What is made type by type. */
struct types {
    struct registry *registry;
    json_t *definitions;
    json_t *names; /* for `type` */
    json_t *rules; /* which params go with which type */
};

static json_t *object_of(const struct key_set *keys, bool defaults_only);

static json_t *weight(void)
{
    static const char *const automatic[] = {"auto", NULL};
    return json_pack("{s[oo]}", "anyOf", schema_kind_int(1, INT32_MAX),
                     schema_kind_words(automatic));
}

/* Limits the keys of a map to a pattern with the largest length in it. */
static json_t *named(json_t *map, const char *letters, int most)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "^(<<|[%s]{1,%d})$", letters, most);
    json_object_set_new(map, "propertyNames", json_pack("{ss}", "pattern", pattern));
    return map;
}

static json_t *labels(void)
{
    return named(schema_kind_map(schema_kind_reference("text")), "A-Za-z0-9._/-",
                 JOB_FILE_LABEL_KEY_MOST_BYTES);
}

static json_t *vars(void)
{
    return named(schema_kind_map(schema_kind_reference("text")), "A-Za-z0-9_-",
                 JOB_FILE_VAR_NAME_MOST_BYTES);
}

/* Of each name a list of texts, or a file. */
static json_t *for_each(void)
{
    json_t *list = schema_kind_list(schema_kind_reference("text"));
    json_t *map =
        schema_kind_map(json_pack("{s[oo]}", "anyOf", list, object_of(&each_keys, false)));
    json_object_set_new(list, "minItems", json_integer(1));
    json_object_set_new(map, "minProperties", json_integer(1));
    return named(map, "A-Za-z0-9_-", JOB_FILE_VAR_NAME_MOST_BYTES);
}

/* An id that looks like a number is one as well; what ${...} in one stands for is not known. */
static json_t *id(void)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "[$][{]|^[A-Za-z0-9._-]{1,%d}$", TASK_ID_MOST_BYTES);
    return json_pack("{s[o{s[sss]}]}", "anyOf", schema_kind_pattern(pattern), "type", "number",
                     "boolean", "null");
}

static json_t *tasks(void)
{
    json_t *list = schema_kind_list(schema_kind_reference("task"));
    json_object_set_new(list, "minItems", json_integer(1));
    return list;
}

/* Returns the schema of a key's value. */
static json_t *value_of(enum key_kind kind)
{
    switch (kind) {
    case KEY_KIND_VERSION:
        return json_pack("{s[{si}o]}", "anyOf", "const", 1,
                         schema_kind_pattern("^\\+?(0[xX])?0*1$"));
    case KEY_KIND_TEXT:
        return schema_kind_reference("text");
    case KEY_KIND_FLAG:
        return schema_kind_reference("flag");
    case KEY_KIND_CAPACITY:
        return schema_kind_int(1, INT32_MAX);
    case KEY_KIND_PRIORITY:
        return schema_kind_int(TASK_PRIORITY_MIN, TASK_PRIORITY_MAX);
    case KEY_KIND_ATTEMPTS:
        return schema_kind_int(1, JOB_FILE_ATTEMPTS_MOST);
    case KEY_KIND_PART:
        return schema_kind_float(0, 1);
    case KEY_KIND_WEIGHT:
        return weight();
    case KEY_KIND_DURATION:
        return schema_kind_reference("duration");
    case KEY_KIND_TIME:
        return schema_kind_reference("time");
    case KEY_KIND_ID:
        return id();
    case KEY_KIND_TYPE:
        return schema_kind_reference("type");
    case KEY_KIND_BACKOFF:
        return schema_kind_words(job_retry_backoffs);
    case KEY_KIND_NEEDS:
        return schema_kind_list(schema_kind_reference("text"));
    case KEY_KIND_WHEN:
        return schema_kind_words(task_whens);
    case KEY_KIND_LABELS:
        return labels();
    case KEY_KIND_VARS:
        return vars();
    case KEY_KIND_FOR_EACH:
        return for_each();
    case KEY_KIND_RETRY:
        return object_of(&retry_keys, false);
    case KEY_KIND_PARAMS:
        return json_pack("{ss}", "type", "object"); /* the rest depends on the type */
    case KEY_KIND_DEFAULTS:
        return object_of(&task_keys, true);
    case KEY_KIND_TASKS:
        return tasks();
    }
    return json_object();
}

static json_t *object_of(const struct key_set *keys, bool defaults_only)
{
    json_t *object = schema_kind_object();
    for (int i = 0; i < keys->count; i++) {
        const struct key_word *key = &keys->words[i];
        if (defaults_only && !key->in_defaults)
            continue;
        json_t *value = value_of(key->kind);
        json_object_set_new(value, "description", json_string(key->help));
        schema_kind_add(object, key->word, value);
    }
    if (keys == &task_keys)
        json_object_set_new(object, "not", json_pack("{s[ss]}", "required", "at", "delay"));
    return object;
}

/* Of some keys exactly one; what a merge brings is not known. */
static void require_one_of(json_t *object, const struct param_table *params, size_t index)
{
    json_t *rules = json_object_get(object, "allOf"), *each = json_array();
    for (size_t i = 0; i < params->count; i++)
        if (param_one_of_has(params, index, i))
            json_array_append_new(each, json_pack("{s[s]}", "required", params->rows[i].name));
    json_t *rule = json_pack("{s[{so}{s[s]}]}", "anyOf", "oneOf", each, "required", "<<");
    if (rules == NULL)
        json_object_set_new(object, "allOf", json_pack("[o]", rule));
    else
        json_array_append_new(rules, rule);
}

/* Returns a map of the parameters; *required: at least one has to be given. */
static json_t *params_of(const struct offer *offer, bool *required)
{
    json_t *object = schema_kind_object();
    *required = false;
    for (size_t i = 0; i < offer->params.count; i++) {
        const struct param *param = &offer->params.rows[i];
        schema_kind_add(object, param->name, schema_kind_param(param));
        if (param->required)
            schema_kind_require(object, param->name);
        *required |= param->required;
    }
    for (size_t i = 0; i < offer->params.one_ofs_count; i++)
        require_one_of(object, &offer->params, i);
    *required |= offer->params.one_ofs_count > 0;
    return object;
}

static void add_type(struct types *types, const struct offer *offer)
{
    const char *name = offer->type->name;
    char definition[TYPE_NAME_MOST_BYTES + sizeof "params."];
    bool required;
    snprintf(definition, sizeof definition, "params.%s", name);
    json_object_set_new(types->definitions, definition, params_of(offer, &required));
    json_t *then = json_pack("{s{so}}", "properties", "params", schema_kind_reference(definition));
    if (required)
        schema_kind_require(then, "params");
    json_array_append_new(types->rules, json_pack("{s{s{s{ss}}s[s]}so}", "if", "properties", "type",
                                                  "const", name, "required", "type", "then", then));
    json_array_append_new(types->names, json_string(name));
}

static void keep_name(void *context, const char *name, const char *plugin)
{
    (void)plugin;
    json_array_append_new(context, json_string(name));
}

static void add_types(struct types *types)
{
    json_t *names = json_array(), *name;
    size_t i;
    registry_visit_types(types->registry, keep_name, names);
    json_array_foreach(names, i, name)
    {
        const struct offer *offer;
        struct error error;
        if (registry_peek(types->registry, json_string_value(name), json_string_length(name),
                          &offer, &error) != REGISTRY_FOUND)
            continue;
        add_type(types, offer);
        registry_unpin(types->registry, offer);
    }
    json_decref(names);
}

/* Defines `type` and `task`, and the params of each type. */
static void define_task(json_t *definitions, struct registry *registry)
{
    struct types types = {registry, definitions, json_array(), json_array()};
    add_types(&types);
    json_object_set_new(definitions, "type",
                        json_pack("{s[{so}o]}", "anyOf", "enum", types.names,
                                  schema_kind_reference("substituted")));
    json_t *task = object_of(&task_keys, false);
    json_object_set_new(task, "allOf", types.rules);
    schema_kind_require(task, "type");
    json_object_set_new(definitions, "task", task);
}

json_t *job_schema(struct registry *registry)
{
    json_t *definitions = schema_kind_definitions();
    define_task(definitions, registry);
    json_t *schema = json_pack("{ssss}", "$schema", "https://json-schema.org/draft/2020-12/schema",
                               "title", "Job file of Sluice, version 1");
    json_t *job = object_of(&job_keys, false);
    schema_kind_require(job, "version");
    schema_kind_require(job, "tasks");
    json_object_update(schema, job);
    json_decref(job);
    json_object_set_new(schema, "$defs", definitions);
    return schema;
}
