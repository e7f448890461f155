#include "accept/job_file/job_document.h"

#include <inttypes.h>

#include "accept/job_file/job_keys.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_task.h"
#include "accept/job_file/job_value.h"
#include "accept/job_file/job_vars.h"
#include "accept/job_file/yaml_map.h"
#include "support/cleanup.h"

enum { FORMAT_VERSION = 1 };

static uint32_t bit(enum job_key key)
{
    return UINT32_C(1) << key;
}

static bool read_version(struct job_reader *reader, const struct yaml_node *node)
{
    static const int64_t limits[2] = {INT64_MIN, INT64_MAX};
    int64_t version;
    if (!job_value_int(reader, node,
                       (struct job_want){"", "version", "the int 1", JOB_QUOTES_REFUSED}, limits,
                       &version) ||
        version == FORMAT_VERSION)
        return yaml_source_skip(reader->source, node);
    job_report(&reader->faults, (struct job_fault){JOB_FILE_VERSION, node->place, NULL},
               "version %" PRId64 " is not known: this version of Sluice reads version 1", version);
    reader->stopped = true; /* what follows may mean anything */
    return false;
}

static void read_name(struct job_reader *reader, const struct yaml_node *node)
{
    struct params_text text;
    if (!job_value_text(reader, node, (struct job_want){"", "name", "a string", JOB_QUOTES_ALLOWED},
                        &text))
        return;
    if (text.length > 0 && text.length <= JOB_FILE_NAME_MOST_BYTES)
        job_set_name(reader->job, text.bytes);
    else
        job_report(&reader->faults, (struct job_fault){JOB_FILE_TOO_LARGE, node->place, NULL},
                   "'name' has %" PRIu32 " bytes, allowed are 1 to %d", text.length,
                   JOB_FILE_NAME_MOST_BYTES);
}

static void read_max_weight(struct job_reader *reader, const struct yaml_node *node)
{
    const int64_t limits[2] = {1, reader->options->weight_capacity};
    int64_t weight;
    if (job_value_int(reader, node,
                      (struct job_want){"", "max_weight", "an int", JOB_QUOTES_REFUSED}, limits,
                      &weight))
        reader->job->max_weight = (int32_t)weight;
}

/* A streamed job starts while it is read: what holds for all of it has to be known. */
static bool head_is_known(struct job_reader *reader, struct place place)
{
    if (reader->job->mode == JOB_CHECKED)
        return true;
    if ((reader->given & bit(JOB_KEY_VARS)) == 0)
        job_vars_none(reader);
    reader->stopped = reader->faults.count > 0;
    if (reader->given & bit(JOB_KEY_VERSION))
        return !reader->stopped;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_STREAM_ORDER, place, NULL},
               "a streamed file has 'version' before 'tasks'");
    reader->stopped = true;
    return false;
}

static bool read_tasks(struct job_reader *reader, const struct yaml_node *list)
{
    struct yaml_node node;
    uint32_t position = 0;
    if (list->kind != YAML_KIND_LIST) {
        job_value_refuse(reader, list,
                         (struct job_want){"", "tasks", "a list of tasks", JOB_QUOTES_ALLOWED});
        return yaml_source_skip(reader->source, list);
    }
    while (yaml_source_next(reader->source, &node) && node.kind != YAML_KIND_END) {
        if (!job_task_read(reader, &node, ++position) || !job_reader_hand_on_full(reader)) {
            reader->stopped = true;
            return false;
        }
    }
    if (position == 0 && !yaml_source_broken(reader->source))
        job_report(&reader->faults, (struct job_fault){JOB_FILE_EMPTY, list->place, NULL},
                   "'tasks' is empty");
    return !yaml_source_broken(reader->source);
}

/* Reads the value of a key; a list or map that ought not to be one is skipped. */
static bool read_value(struct job_reader *reader, enum job_key key, struct place place)
{
    struct yaml_node node;
    if (key == JOB_KEY_TASKS && !head_is_known(reader, place))
        return false;
    if (!yaml_source_next(reader->source, &node))
        return false;
    switch (key) {
    case JOB_KEY_VERSION:
        return read_version(reader, &node);
    case JOB_KEY_NAME:
        read_name(reader, &node);
        break;
    case JOB_KEY_VARS:
        return job_vars_read(reader, &node);
    case JOB_KEY_DEFAULTS:
        return job_defaults_read(reader, &node);
    case JOB_KEY_FAIL_FAST:
        job_value_bool(reader, &node, "fail_fast", &reader->job->fail_fast);
        break;
    case JOB_KEY_MAX_WEIGHT:
        read_max_weight(reader, &node);
        break;
    case JOB_KEY_TASKS:
        return read_tasks(reader, &node);
    case JOB_KEY_COUNT:
        break;
    }
    return yaml_source_skip(reader->source, &node);
}

/* Returns the key whose value is to be read, or JOB_KEY_COUNT if it is to be skipped. */
static enum job_key key_of(struct job_reader *reader, const struct yaml_node *node, int *next)
{
    int found = key_find(&job_keys, node, next);
    if (found < 0) {
        CLEANUP(cleanup_free) char *hint = key_hint(&job_keys, node);
        job_report(&reader->faults, (struct job_fault){JOB_FILE_UNKNOWN_KEY, node->place, hint},
                   "unknown key '%s' in a job", yaml_node_shown(node).text);
        return JOB_KEY_COUNT;
    }
    enum job_key key = (enum job_key)found;
    if (reader->given & bit(key)) {
        if (!node->merged)
            job_report(&reader->faults,
                       (struct job_fault){JOB_FILE_DUPLICATE_KEY, node->place, NULL},
                       "key '%s' stands here twice", node->text);
        return JOB_KEY_COUNT;
    }
    reader->given |= bit(key);
    return key;
}

/* Notes a key behind tasks: a reason to read a checked file again if tasks depend on it. In a
 * streamed file it is too late, and reading ends: tasks of the job already run. */
static bool note_late(struct job_reader *reader, enum job_key key, const struct yaml_node *node)
{
    if ((reader->given & bit(JOB_KEY_TASKS)) == 0 || key == JOB_KEY_TASKS || key == JOB_KEY_COUNT)
        return true;
    if (reader->job->mode == JOB_STREAMED) {
        job_report(&reader->faults, (struct job_fault){JOB_FILE_STREAM_ORDER, node->place, NULL},
                   "a streamed file has '%s' before 'tasks'", node->text);
        reader->stopped = true;
        return false;
    }
    if (key == JOB_KEY_DEFAULTS || key == JOB_KEY_MAX_WEIGHT) {
        reader->again |= !reader->second || reader->blind;
        reader->blind &= !reader->second;
    }
    return true;
}

static void report_missing(struct job_reader *reader, enum job_key key, struct place place)
{
    if ((reader->given & bit(key)) == 0)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_MISSING_KEY, place, NULL},
                   "'%s' is missing in a job", job_keys.words[key].word);
}

/* What tasks take over from defaults is reported there, once. */
static void check_defaults(struct job_reader *reader)
{
    int32_t most = reader->job->max_weight, weight = reader->defaults.weight;
    if (most > 0 && weight > most)
        job_report(&reader->faults,
                   (struct job_fault){JOB_FILE_OUT_OF_RANGE, reader->defaults.weight_place, NULL},
                   "weight %" PRId32 " is above the max_weight of this job, %" PRId32, weight,
                   most);
}

/* What the tasks have to do with each other: not where all is read again, as then some may be
 * missing so far, and others have numbers that they will not keep. */
static void finish_tasks(struct job_reader *reader)
{
    if (!reader->again)
        job_needs_finish(reader);
    if (!reader->again)
        job_late_finish(reader);
}

static void read_keys(struct job_reader *reader, const struct yaml_node *map)
{
    struct yaml_node node;
    int next = 0;
    bool goes_on = true;
    YAML_MAP_NEW(keys);
    while (goes_on && yaml_map_key(reader->source, &keys, &node)) {
        enum job_key key = key_of(reader, &node, &next);
        if (!note_late(reader, key, &node))
            return;
        goes_on = key != JOB_KEY_COUNT ? read_value(reader, key, node.place)
                                       : yaml_source_skip_next(reader->source);
    }
    if (yaml_source_broken(reader->source) || reader->stopped)
        return;
    report_missing(reader, JOB_KEY_VERSION, map->place);
    report_missing(reader, JOB_KEY_TASKS, map->place);
    if ((reader->given & bit(JOB_KEY_VARS)) == 0)
        job_vars_none(reader);
    check_defaults(reader);
    finish_tasks(reader);
}

/* The job of a single task is called after its type. */
static void read_single(struct job_reader *reader, const struct yaml_node *root)
{
    job_vars_none(reader);
    if (!job_task_read(reader, root, 1))
        return;
    finish_tasks(reader);
    if (reader->faults.count == 0)
        job_set_name(reader->job, job_task(reader->job, 0)->type->name);
}

void job_document_read(struct job_reader *reader, const struct yaml_node *root)
{
    if (reader->options->root == JOB_FILE_TASK)
        read_single(reader, root);
    else if (root->kind == YAML_KIND_MAP)
        read_keys(reader, root);
    else
        job_report(&reader->faults, (struct job_fault){JOB_FILE_WRONG_TYPE, root->place, NULL},
                   "a job is a map with 'version' and 'tasks'");
}
