#include "accept/job_file/job_params.h"

#include <stdio.h>
#include <string.h>

#include "accept/job_file/job_report.h"
#include "accept/job_file/job_value.h"
#include "accept/job_file/json_text.h"
#include "accept/job_file/yaml_map.h"
#include "plugin/param_one_of.h"
#include "plugin/param_table.h"
#include "support/cleanup.h"
#include "support/suggest.h"

enum { SEEN_WORDS = PARAM_ROWS_MOST / 64, HINT_BYTES = 96 };

/* Which rows of a table were given. */
struct seen {
    uint64_t bits[SEEN_WORDS];
};

static void report_missing(struct job_reader *reader, const struct offer *offer,
                           const struct seen *seen, struct place place)
{
    for (size_t i = 0; i < offer->params.count; i++)
        if ((offer->params.required[i / 64] & ~seen->bits[i / 64]) >> i % 64 & 1)
            job_report(&reader->faults, (struct job_fault){JOB_FILE_MISSING_PARAM, place, NULL},
                       "parameter '%s' of type '%s' is missing", offer->params.rows[i].name,
                       offer->type->name);
}

static void check_one_of(struct job_reader *reader, const struct offer *offer,
                         const struct seen *seen, struct place place)
{
    CLEANUP(buffer_fini) struct buffer names = BUFFER_EMPTY;
    size_t wrong;
    enum param_one_of_answer answer = param_one_of_check(&offer->params, seen->bits, &wrong);
    if (answer == PARAM_ONE_OF_RIGHT)
        return;
    param_one_of_names(&offer->params, wrong, &names);
    if (answer == PARAM_ONE_OF_MISSING)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_MISSING_PARAM, place, NULL},
                   "one of the parameters %s of type '%s' is missing", buffer_text(&names),
                   offer->type->name);
    else
        job_report(&reader->faults, (struct job_fault){JOB_FILE_CONFLICT, place, NULL},
                   "the parameters %s of type '%s' exclude each other", buffer_text(&names),
                   offer->type->name);
}

static void check_missing(struct job_reader *reader, const struct offer *offer,
                          const struct seen *seen, struct place place)
{
    uint64_t missing = 0;
    for (size_t word = 0; word * 64 < offer->params.count; word++)
        missing |= offer->params.required[word] & ~seen->bits[word];
    if (missing != 0)
        report_missing(reader, offer, seen, place);
    check_one_of(reader, offer, seen, place);
}

void job_params_begin(struct job_reader *reader)
{
    reader->params.length = 0;
    job_late_begin(reader);
}

void job_params_none(struct job_reader *reader, const struct offer *offer, struct place place)
{
    check_missing(reader, offer, &(struct seen){0}, place);
}

static void report_unknown(struct job_reader *reader, const struct offer *offer,
                           const struct yaml_node *key)
{
    char hint[HINT_BYTES];
    struct suggest suggest;
    suggest_begin(&suggest, key->text, key->length);
    for (size_t i = 0; i < offer->params.count; i++)
        suggest_offer(&suggest, offer->params.rows[i].name);
    if (suggest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", suggest.best);
    else
        snprintf(hint, sizeof hint, "'sluice plugin info %s' lists them", offer->type->name);
    job_report(&reader->faults, (struct job_fault){JOB_FILE_UNKNOWN_PARAM, key->place, hint},
               "unknown parameter '%s' for type '%s'", yaml_node_shown(key).text,
               offer->type->name);
}

static struct job_want want_of(const struct param *param, const char *kind)
{
    bool number = param->kind == SLUICE_KIND_BOOL || param->kind == SLUICE_KIND_INT ||
                  param->kind == SLUICE_KIND_FLOAT;
    return (struct job_want){"parameter ", param->name, kind,
                             number ? JOB_QUOTES_REFUSED : JOB_QUOTES_ALLOWED};
}

/* Keeps a text that the row sees when it is resolved. */
static void put_late(struct job_reader *reader, const struct param *param, struct params_text text)
{
    size_t head = reader->params.length;
    params_put_head(&reader->params, param->kind, param->name);
    params_set_late(&reader->params, head);
    params_put_text(&reader->params, text.bytes, text.length);
}

/* Packs a text for the row and reports what the row refuses. */
static void pack(struct job_reader *reader, const struct param *param, struct params_text text,
                 struct place place)
{
    struct error error;
    const char *nearest = NULL;
    char hint[HINT_BYTES];
    enum param_answer answer = param_pack(param, text, &reader->params, &error, &nearest);
    if (answer == PARAM_OK)
        return;
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest);
    job_report(
        &reader->faults,
        (struct job_fault){answer == PARAM_WRONG_TYPE ? JOB_FILE_WRONG_TYPE : JOB_FILE_OUT_OF_RANGE,
                           place, nearest != NULL ? hint : NULL},
        "%s", error.message);
}

static bool read_scalar(struct job_reader *reader, const struct yaml_node *node,
                        const struct param *param)
{
    struct params_text text;
    if (!job_value_text(reader, node, want_of(param, param_kind_wants(param->kind)), &text))
        return yaml_source_skip(reader->source, node);
    if (reader->late.found)
        put_late(reader, param, text);
    else
        pack(reader, param, text, node->place);
    return true;
}

static bool read_any(struct job_reader *reader, const struct yaml_node *node,
                     const struct param *param)
{
    reader->late.found_in_json = false;
    CLEANUP(cleanup_free) char *json = json_text_read(reader, node, param->name);
    if (json != NULL && reader->late.found_in_json)
        put_late(reader, param, (struct params_text){json, (uint32_t)strlen(json)});
    else if (json != NULL)
        pack(reader, param, (struct params_text){json, (uint32_t)strlen(json)}, node->place);
    return !yaml_source_broken(reader->source);
}

static void check_items(struct job_reader *reader, const struct param *param, size_t count,
                        struct place place)
{
    struct error error;
    if (!param_admits_items(param, count, &error))
        job_report(&reader->faults, (struct job_fault){JOB_FILE_OUT_OF_RANGE, place, NULL}, "%s",
                   error.message);
}

static bool read_list(struct job_reader *reader, const struct yaml_node *list,
                      const struct param *param)
{
    struct yaml_node node;
    uint32_t count = 0;
    size_t found = 0; /* with those that are wrong, which were reported */
    if (list->kind != YAML_KIND_LIST) {
        job_value_refuse(reader, list, want_of(param, "a list of strings"));
        return yaml_source_skip(reader->source, list);
    }
    size_t head = reader->params.length;
    params_put_head(&reader->params, param->kind, param->name);
    size_t where = params_put_count(&reader->params, 0);
    while (yaml_source_next(reader->source, &node) && node.kind != YAML_KIND_END) {
        struct params_text text;
        found++;
        if (job_value_text(reader, &node, want_of(param, "a string for each item"), &text)) {
            params_put_text(&reader->params, text.bytes, text.length);
            if (reader->late.found)
                params_set_late(&reader->params, head);
            count++;
        } else if (!yaml_source_skip(reader->source, &node)) {
            return false;
        }
    }
    params_set_count(&reader->params, where, count);
    if (yaml_source_broken(reader->source))
        return false;
    check_items(reader, param, found, list->place);
    return true;
}

/* Reads a pair of a map parameter, whose field begins at head; its key is new. */
static bool read_pair(struct job_reader *reader, const struct yaml_node *key,
                      const struct param *param, size_t head)
{
    struct yaml_node node;
    struct params_text text;
    size_t before = reader->params.length;
    params_put_text(&reader->params, key->text, key->length);
    if (!yaml_source_next(reader->source, &node))
        return false;
    if (job_value_text(reader, &node, want_of(param, "a string for each key"), &text)) {
        params_put_text(&reader->params, text.bytes, text.length);
        if (reader->late.found)
            params_set_late(&reader->params, head);
        return true;
    }
    reader->params.length = before;
    return yaml_source_skip(reader->source, &node);
}

static bool key_is_new(struct job_reader *reader, const struct yaml_node *key)
{
    if (name_table_set(&reader->keys, key->text, key->length, 0))
        return true;
    if (!key->merged)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_DUPLICATE_KEY, key->place, NULL},
                   "key '%s' stands here twice", yaml_node_shown(key).text);
    return false;
}

static bool read_map(struct job_reader *reader, const struct yaml_node *map,
                     const struct param *param)
{
    struct yaml_node key;
    uint32_t count = 0;
    bool goes_on = true;
    if (map->kind != YAML_KIND_MAP) {
        job_value_refuse(reader, map, want_of(param, "a map of strings"));
        return yaml_source_skip(reader->source, map);
    }
    YAML_MAP_NEW(keys);
    name_table_clear(&reader->keys);
    size_t head = reader->params.length;
    params_put_head(&reader->params, param->kind, param->name);
    size_t where = params_put_count(&reader->params, 0);
    while (goes_on && yaml_map_key(reader->source, &keys, &key)) {
        size_t before = reader->params.length;
        goes_on = key_is_new(reader, &key) ? read_pair(reader, &key, param, head)
                                           : yaml_source_skip_next(reader->source);
        count += reader->params.length > before;
    }
    params_set_count(&reader->params, where, count);
    return !yaml_source_broken(reader->source);
}

static bool read_value(struct job_reader *reader, const struct param *param)
{
    struct yaml_node node;
    if (!yaml_source_next(reader->source, &node))
        return false;
    switch (param->kind) {
    case SLUICE_KIND_BOOL:
    case SLUICE_KIND_INT:
    case SLUICE_KIND_FLOAT:
    case SLUICE_KIND_STRING:
    case SLUICE_KIND_DURATION:
    case SLUICE_KIND_SIZE:
    case SLUICE_KIND_ENUM:
        return read_scalar(reader, &node, param);
    case SLUICE_KIND_LIST:
        return read_list(reader, &node, param);
    case SLUICE_KIND_MAP:
        return read_map(reader, &node, param);
    case SLUICE_KIND_ANY:
        return read_any(reader, &node, param);
    }
    return false;
}

/* Returns the row of a key that is to be read; NULL if its value is to be skipped. */
static const struct param *row_of(struct job_reader *reader, const struct offer *offer,
                                  const struct yaml_node *key, size_t *next, struct seen *seen)
{
    const struct param *param = param_table_find(&offer->params, key->text, key->length, next);
    if (param == NULL) {
        report_unknown(reader, offer, key);
        return NULL;
    }
    size_t row = (size_t)(param - offer->params.rows);
    uint64_t bit = UINT64_C(1) << row % 64;
    if (seen->bits[row / 64] & bit) {
        if (!key->merged)
            job_report(&reader->faults,
                       (struct job_fault){JOB_FILE_DUPLICATE_KEY, key->place, NULL},
                       "parameter '%s' stands here twice", param->name);
        return NULL;
    }
    seen->bits[row / 64] |= bit;
    return param;
}

bool job_params_read(struct job_reader *reader, const struct yaml_node *map,
                     const struct offer *offer, struct place place)
{
    struct seen seen = {0};
    struct yaml_node key;
    size_t next = 0;
    bool goes_on = true;
    YAML_MAP_NEW(keys);
    if (map->kind != YAML_KIND_MAP) {
        job_value_refuse(
            reader, map,
            (struct job_want){"", "params", "a map of parameters", JOB_QUOTES_ALLOWED});
        return yaml_source_skip(reader->source, map);
    }
    reader->param_offer = offer;
    while (goes_on && yaml_map_key(reader->source, &keys, &key)) {
        const struct param *param = row_of(reader, offer, &key, &next, &seen);
        reader->param = param;
        goes_on = param != NULL ? read_value(reader, param) : yaml_source_skip_next(reader->source);
    }
    reader->param = NULL;
    if (yaml_source_broken(reader->source))
        return false;
    check_missing(reader, offer, &seen, place);
    return true;
}
