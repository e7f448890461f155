#include "serve/task_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "accept/job_file/job_retry.h"
#include "plugin/param_late.h"
#include "plugin/params.h"
#include "serve/json_text.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/units.h"

/* Adds a text that is read back as itself: what would begin a substitution is escaped. */
static void put_plain(struct buffer *text, const char *at, size_t length)
{
    for (const char *end = at + length; at < end; at++) {
        if (end - at >= 2 && at[0] == '$' && at[1] == '{')
            buffer_puts(text, "$");
        buffer_append(text, at, 1);
    }
}

static json_t *plain_text(const char *bytes, size_t length)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    if (memchr(bytes, '$', length) == NULL)
        return json_text(bytes, length);
    put_plain(&text, bytes, length);
    return json_text(buffer_text(&text), text.length);
}

/* A text of a late field: its references as the job file has them (see late_find for what they
 * hold). */
static json_t *late_text(const char *at)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    const size_t mark = strlen(PARAM_LATE_MARK);
    for (const char *begin, *end, *name;
         (begin = strstr(at, PARAM_LATE_MARK)) != NULL &&
         (end = strstr(begin + mark, PARAM_LATE_MARK)) != NULL &&
         (name = strchr(begin, '/')) != NULL && (name = strchr(name + 1, '/')) != NULL;
         at = end + mark) {
        put_plain(&text, at, (size_t)(begin - at));
        buffer_printf(&text, "${tasks.%.*s}", (int)(end - name - 1), name + 1);
    }
    put_plain(&text, at, strlen(at));
    return json_text(buffer_text(&text), text.length);
}

static json_t *text_of(const char *bytes, size_t length)
{
    return strstr(bytes, PARAM_LATE_MARK) != NULL ? late_text(bytes) : plain_text(bytes, length);
}

static json_t *duration(int64_t ns)
{
    char text[32];
    return json_string(units_format_duration(ns, text, sizeof text));
}

/* The value of `any`: JSON, the texts in it escaped. */
static json_t *any_value(json_t *value)
{
    json_t *copy, *item;
    const char *key;
    size_t i;
    if (json_is_string(value))
        return text_of(json_string_value(value), json_string_length(value));
    if (json_is_array(value)) {
        copy = json_array();
        json_array_foreach(value, i, item) json_array_append_new(copy, any_value(item));
        return copy;
    }
    if (!json_is_object(value))
        return json_incref(value);
    copy = json_object();
    json_object_foreach(value, key, item) json_object_set_new(copy, key, any_value(item));
    return copy;
}

static json_t *any(struct params_text text)
{
    json_t *value = json_loadb(text.bytes, text.length, JSON_DECODE_ANY, NULL);
    json_t *copy = any_value(value);
    json_decref(value);
    return copy;
}

static json_t *list(struct params_reader *reader, uint32_t count)
{
    json_t *array = json_array();
    struct params_text text;
    for (uint32_t i = 0; i < count && params_next_text(reader, &text); i++)
        json_array_append_new(array, text_of(text.bytes, text.length));
    return array;
}

static json_t *map(struct params_reader *reader, uint32_t count)
{
    json_t *object = json_object();
    struct params_text key, text;
    for (uint32_t i = 0; i < count; i++)
        if (params_next_text(reader, &key) && params_next_text(reader, &text))
            json_object_set_new(object, key.bytes, text_of(text.bytes, text.length));
    return object;
}

/* Reads the value of a field, also if it is not to be shown. */
static json_t *value_of(struct params_reader *reader, const struct params_field *field)
{
    char text[32];
    bool items = field->kind == SLUICE_KIND_LIST || field->kind == SLUICE_KIND_MAP;
    if (field->late && !items && field->kind != SLUICE_KIND_ANY)
        return late_text(field->text.bytes);
    switch (field->kind) {
    case SLUICE_KIND_BOOL:
        return json_boolean(field->boolean);
    case SLUICE_KIND_INT:
        return json_integer(field->integer);
    case SLUICE_KIND_FLOAT:
        return json_real(field->real);
    case SLUICE_KIND_DURATION:
        return duration(field->integer);
    case SLUICE_KIND_SIZE:
        return json_string(units_format_size(field->size, text, sizeof text));
    case SLUICE_KIND_STRING:
    case SLUICE_KIND_ENUM:
        return plain_text(field->text.bytes, field->text.length);
    case SLUICE_KIND_LIST:
        return list(reader, field->count);
    case SLUICE_KIND_MAP:
        return map(reader, field->count);
    case SLUICE_KIND_ANY:
        return any(field->text);
    }
    return json_null();
}

json_t *params_json(const void *record, size_t bytes, const struct param_table *table)
{
    struct params_reader reader;
    struct params_field field;
    json_t *object = json_object();
    size_t next = 0;
    params_begin(&reader, record, bytes);
    while (params_next(&reader, &field)) {
        const struct param *row =
            table != NULL ? param_table_find(table, field.name.bytes, field.name.length, &next)
                          : NULL;
        json_t *value = value_of(&reader, &field);
        if (row == NULL || row->secret) {
            json_decref(value);
            value = json_string("(secret)");
        }
        json_object_set_new(object, field.name.bytes, value);
    }
    return object;
}

static json_t *labels(const struct sluice_map *map)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < map->count; i++)
        json_object_set_new(object, map->pairs[i].key,
                            plain_text(map->pairs[i].value, strlen(map->pairs[i].value)));
    return object;
}

static json_t *retry(const struct sluice_retry *policy)
{
    json_t *object = json_pack("{sI so ss sf}", "attempts", (json_int_t)policy->attempts, "delay",
                               duration(policy->delay_ns), "backoff",
                               job_retry_backoffs[policy->backoff], "jitter", policy->jitter);
    if (policy->max_delay_ns > 0)
        json_object_set_new(object, "max_delay", duration(policy->max_delay_ns));
    return object;
}

static json_t *moment(int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    char date[32], text[64];
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    if (wall_ns % NS_PER_S == 0)
        snprintf(text, sizeof text, "%sZ", date);
    else
        snprintf(text, sizeof text, "%s.%09dZ", date, (int)(wall_ns % NS_PER_S));
    return json_string(text);
}

/* When and how often it starts. */
static void add_times(json_t *object, const struct task *task)
{
    if (task->timeout_ns > 0)
        json_object_set_new(object, "timeout", duration(task->timeout_ns));
    if (task->due_ns > 0)
        json_object_set_new(object, "delay", duration(task->due_ns));
    if (task->due_ns < 0)
        json_object_set_new(object, "at", moment(-task->due_ns));
    if (task->retry != NULL)
        json_object_set_new(object, "retry", retry(task->retry));
}

json_t *task_json(const struct task *task, const struct param_table *table)
{
    json_t *object = json_pack("{ss ss}", "id", task->id, "type", task->type->name);
    if (task->params_bytes > 0)
        json_object_set_new(object, "params", params_json(task->params, task->params_bytes, table));
    if (task->labels != NULL)
        json_object_set_new(object, "labels", labels(task->labels));
    if (task->priority != 0)
        json_object_set_new(object, "priority", json_integer(task->priority));
    json_object_set_new(object, "weight",
                        task->weight == TASK_WEIGHT_AUTO ? json_string("auto")
                                                         : json_integer(task->weight));
    add_times(object, task);
    if (task->unique != NULL)
        json_object_set_new(object, "unique", plain_text(task->unique, strlen(task->unique)));
    return object;
}
