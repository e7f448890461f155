#include "accept/job_file/job_vars.h"

#include <stdio.h>
#include <string.h>

#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_value.h"
#include "accept/job_file/yaml_map.h"

enum { HINT_BYTES = 128 };
#define VAR_WRONG UINT32_MAX /* in place of where a variable stands */

void job_vars_fini(struct job_vars *vars)
{
    buffer_fini(&vars->texts);
    name_table_fini(&vars->names);
}

bool job_vars_name_is_valid(const char *name, size_t length)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    return length > 0 && length <= JOB_FILE_VAR_NAME_MOST_BYTES && strspn(name, letters) == length;
}

const char *job_vars_find(const struct job_vars *vars, const char *name, size_t length)
{
    const uint32_t *at = name_table_find(&vars->names, name, length);
    return at == NULL || *at == VAR_WRONG ? NULL : vars->texts.bytes + *at + length + 1;
}

bool job_vars_is_wrong(const struct job_vars *vars, const char *name, size_t length)
{
    const uint32_t *at = name_table_find(&vars->names, name, length);
    return at != NULL && *at == VAR_WRONG;
}

void job_vars_suggest(const struct job_vars *vars, struct suggest *suggest)
{
    if (vars->texts.length == 0)
        return;
    const char *at = vars->texts.bytes, *end = at + vars->texts.length;
    for (; at < end; at += strlen(at) + 1, at += strlen(at) + 1)
        suggest_offer(suggest, at);
}

static void put(struct job_vars *vars, const struct yaml_node *key, const char *text, size_t length)
{
    name_table_set(&vars->names, key->text, key->length, (uint32_t)vars->texts.length);
    buffer_append(&vars->texts, key->text, key->length + 1); /* with its NUL */
    buffer_append(&vars->texts, text, length);
    buffer_append(&vars->texts, "", 1);
}

/* Finds what --set says of a name; the last one wins. */
static const struct job_setting *setting_of(const struct job_reader *reader, const char *name)
{
    for (size_t i = reader->options->settings_count; i > 0; i--)
        if (strcmp(reader->options->settings[i - 1].name, name) == 0)
            return &reader->options->settings[i - 1];
    return NULL;
}

/* Returns whether a key is a new name; otherwise says so, unless it is merged. */
static bool key_is_new(struct job_reader *reader, const struct yaml_node *key)
{
    struct yaml_shown shown = yaml_node_shown(key);
    if (!job_vars_name_is_valid(key->text, key->length)) {
        job_report(&reader->faults, (struct job_fault){JOB_FILE_OUT_OF_RANGE, key->place, NULL},
                   "var '%s': a name has 1 to %d letters, digits, '_', '-'", shown.text,
                   JOB_FILE_VAR_NAME_MOST_BYTES);
        return false;
    }
    if (name_table_find(&reader->vars.names, key->text, key->length) == NULL)
        return true;
    if (!key->merged)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_DUPLICATE_KEY, key->place, NULL},
                   "var '%s' stands here twice", shown.text);
    return false;
}

/* Returns whether one more has room. */
static bool has_room(struct job_reader *reader, struct place place, size_t length)
{
    const struct job_vars *vars = &reader->vars;
    if (vars->names.count < JOB_FILE_VARS_MOST &&
        vars->texts.length + length <= JOB_FILE_VARS_MOST_BYTES)
        return true;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_TOO_LARGE, place, NULL},
               "a job has at most %d vars and %d bytes in them", JOB_FILE_VARS_MOST,
               JOB_FILE_VARS_MOST_BYTES);
    return false;
}

/* Reads a value, which may name the variables before it. */
static bool read_text(struct job_reader *reader, const struct yaml_node *key)
{
    const struct job_want want = {"var ", key->text, "a text or number", JOB_QUOTES_ALLOWED};
    struct yaml_node node;
    struct params_text text;
    if (!yaml_source_next(reader->source, &node))
        return false;
    if (!job_value_text(reader, &node, want, &text)) {
        name_table_set(&reader->vars.names, key->text, key->length, VAR_WRONG);
        return yaml_source_skip(reader->source, &node);
    }
    if (has_room(reader, node.place, text.length))
        put(&reader->vars, key, text.bytes, text.length);
    return true;
}

/* A copy of the key: its text goes when its value is read. */
static bool read_var(struct job_reader *reader, const struct yaml_node *key)
{
    char name[JOB_FILE_VAR_NAME_MOST_BYTES + 1];
    struct yaml_node kept = *key;
    memcpy(name, key->text, key->length + 1);
    kept.text = name;
    const struct job_setting *setting = setting_of(reader, name);
    if (setting == NULL)
        return read_text(reader, &kept);
    if (has_room(reader, key->place, strlen(setting->value)))
        put(&reader->vars, &kept, setting->value, strlen(setting->value));
    return yaml_source_skip_next(reader->source);
}

static void check_settings(struct job_reader *reader)
{
    for (size_t i = 0; i < reader->options->settings_count; i++) {
        const struct job_setting *setting = &reader->options->settings[i];
        char hint[HINT_BYTES];
        struct suggest suggest;
        if (name_table_find(&reader->vars.names, setting->name, strlen(setting->name)) != NULL)
            continue;
        suggest_begin(&suggest, setting->name, strlen(setting->name));
        job_vars_suggest(&reader->vars, &suggest);
        if (suggest.best != NULL)
            snprintf(hint, sizeof hint, "did you mean 'vars.%s'?", suggest.best);
        job_report(&reader->faults,
                   (struct job_fault){JOB_FILE_UNKNOWN_VAR, (struct place){0},
                                      suggest.best != NULL ? hint : NULL},
                   "--set vars.%s: the job has no such var", setting->name);
    }
}

bool job_vars_read(struct job_reader *reader, const struct yaml_node *map)
{
    struct yaml_node key;
    bool goes_on = true;
    YAML_MAP_NEW(keys);
    if (map->kind != YAML_KIND_MAP) {
        job_value_refuse(reader, map,
                         (struct job_want){"", "vars", "a map of texts", JOB_QUOTES_ALLOWED});
        return yaml_source_skip(reader->source, map);
    }
    name_table_clear(&reader->vars.names);
    reader->vars.texts.length = 0;
    reader->vars_known = true;
    reader->where = JOB_IN_VARS;
    while (goes_on && yaml_map_key(reader->source, &keys, &key))
        goes_on = key_is_new(reader, &key) ? read_var(reader, &key)
                                           : yaml_source_skip_next(reader->source);
    reader->where = JOB_IN_HEAD;
    if (yaml_source_broken(reader->source))
        return false;
    check_settings(reader);
    return true;
}

void job_vars_none(struct job_reader *reader)
{
    check_settings(reader);
}
