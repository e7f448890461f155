#include "accept/job_file/json_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_file/job_report.h"
#include "accept/job_file/job_value.h"
#include "accept/job_file/yaml_map.h"
#include "support/cleanup.h"
#include "support/units.h"

static json_t *read_node(struct job_reader *reader, const struct yaml_node *node,
                         struct job_want want);

static json_t *read_next(struct job_reader *reader, struct job_want want)
{
    struct yaml_node node;
    return yaml_source_next(reader->source, &node) ? read_node(reader, &node, want) : NULL;
}

static bool begins_number(const struct yaml_node *node)
{
    return node->length > 0 && strchr("+-.0123456789", node->text[0]) != NULL;
}

static json_t *read_plain(const struct yaml_node *node)
{
    int64_t integer;
    double real;
    const char *text = node->text;
    if (node->length == 0 || strcmp(text, "null") == 0 || strcmp(text, "~") == 0)
        return json_null();
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(text[0] == 't');
    if (!begins_number(node))
        return NULL;
    if (units_parse_int(text, node->length, &integer))
        return json_integer(integer);
    return units_parse_float(text, node->length, &real) ? json_real(real) : NULL;
}

static json_t *read_scalar(struct job_reader *reader, const struct yaml_node *node,
                           struct job_want want)
{
    struct yaml_node resolved = *node;
    struct params_text text;
    if (memchr(node->text, '$', node->length) != NULL) {
        if (!job_value_text(reader, node, want, &text))
            return NULL;
        resolved.text = text.bytes;
        resolved.length = text.length;
    }
    bool may_be_other = node->plain && (resolved.length > 0 || node->length == 0);
    json_t *value = may_be_other ? read_plain(&resolved) : NULL;
    return value != NULL ? value : json_stringn(resolved.text, resolved.length);
}

static json_t *read_list(struct job_reader *reader, struct job_want want)
{
    json_t *list = json_array();
    struct yaml_node node;
    bool right = true;
    while (yaml_source_next(reader->source, &node) && node.kind != YAML_KIND_END) {
        json_t *item = read_node(reader, &node, want);
        right = item != NULL && json_array_append_new(list, item) == 0 && right;
    }
    if (right && !yaml_source_broken(reader->source))
        return list;
    json_decref(list);
    return NULL;
}

/* True if the key is to be set; a merged one is not if it is there. */
static bool key_is_new(struct job_reader *reader, const json_t *map, const struct yaml_node *key,
                       bool *right)
{
    if (json_object_getn(map, key->text, key->length) == NULL)
        return true;
    if (key->merged)
        return false;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_DUPLICATE_KEY, key->place, NULL},
               "key '%s' stands here twice", yaml_node_shown(key).text);
    *right = false;
    return false;
}

static json_t *read_map(struct job_reader *reader, struct job_want want)
{
    json_t *map = json_object();
    struct yaml_node key;
    YAML_MAP_NEW(keys);
    bool right = true;
    while (yaml_map_key(reader->source, &keys, &key)) {
        if (!key_is_new(reader, map, &key, &right)) {
            yaml_source_skip_next(reader->source);
            continue;
        }
        CLEANUP(cleanup_free) char *name = strndup(key.text, key.length);
        json_t *value = read_next(reader, want);
        right = value != NULL && json_object_set_new(map, name, value) == 0 && right;
    }
    if (right && !yaml_source_broken(reader->source))
        return map;
    json_decref(map);
    return NULL;
}

static json_t *read_node(struct job_reader *reader, const struct yaml_node *node,
                         struct job_want want)
{
    switch (node->kind) {
    case YAML_KIND_SCALAR:
        return read_scalar(reader, node, want);
    case YAML_KIND_LIST:
        return read_list(reader, want);
    case YAML_KIND_MAP:
        return read_map(reader, want);
    case YAML_KIND_END:
    case YAML_KIND_WRONG:
    case YAML_KIND_ALIAS:
        break;
    }
    return NULL;
}

char *json_text_read(struct job_reader *reader, const struct yaml_node *node, const char *param)
{
    const struct job_want want = {"parameter ", param, "a value", JOB_QUOTES_ALLOWED};
    if (node->kind == YAML_KIND_SCALAR && node->plain && node->length == 0) {
        job_report(
            &reader->faults,
            (struct job_fault){JOB_FILE_WRONG_TYPE, node->place, "write null to mean nothing"},
            "parameter '%s' has no value", param);
        return NULL;
    }
    json_t *value = read_node(reader, node, want);
    if (value == NULL)
        return NULL;
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    if (text == NULL)
        abort();
    return text;
}
