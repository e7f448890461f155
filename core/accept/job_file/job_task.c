#include "accept/job_file/job_task.h"

#include <inttypes.h>
#include <string.h>

#include "accept/job_file/job_draft.h"
#include "accept/job_file/job_instances.h"
#include "accept/job_file/job_keys.h"
#include "accept/job_file/job_labels.h"
#include "accept/job_file/job_params.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_value.h"
#include "accept/job_file/yaml_map.h"
#include "support/cleanup.h"

static bool id_is_valid(const char *id, size_t length)
{
    if (length < 1 || length > TASK_ID_MOST_BYTES)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = id[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
        if (!letter && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

static void read_id(struct job_reader *reader, const struct yaml_node *node,
                    struct job_draft *draft)
{
    struct params_text text;
    reader->where = JOB_IN_ID;
    bool right = job_value_text(reader, node,
                                (struct job_want){"", "id", "a string", JOB_QUOTES_ALLOWED}, &text);
    reader->where = JOB_IN_TASK;
    if (!right)
        return;
    const struct yaml_node resolved = {.text = text.bytes, .length = text.length};
    draft->id_place = node->place;
    if (!id_is_valid(text.bytes, text.length)) {
        job_report(&reader->faults, (struct job_fault){JOB_FILE_INVALID_ID, node->place, NULL},
                   "'%s' is no id: 1 to %d letters, digits, '.', '_', '-'",
                   yaml_node_shown(&resolved).text, TASK_ID_MOST_BYTES);
        return;
    }
    memcpy(draft->id, text.bytes, text.length + 1); /* with its NUL */
    draft->id_length = text.length;
    job_expect_id(reader->job, draft->id, draft->id_length);
}

static void read_type(struct job_reader *reader, const struct yaml_node *node,
                      struct job_draft *draft)
{
    struct params_text text;
    draft->type_place = node->place;
    if (!job_value_text(
            reader, node,
            (struct job_want){"", "type", "the name of a task type", JOB_QUOTES_ALLOWED}, &text))
        return;
    struct yaml_node resolved = *node;
    resolved.text = text.bytes;
    resolved.length = text.length;
    draft->offer = job_types_find(reader, &resolved);
}

static bool read_labels(struct job_reader *reader, const struct yaml_node *node,
                        struct task_fields *fields)
{
    fields->labels.count = 0;
    fields->labels.texts.length = 0;
    if (node->kind == YAML_KIND_MAP) {
        job_labels_read(reader, &fields->labels);
        return !yaml_source_broken(reader->source);
    }
    job_value_refuse(reader, node,
                     (struct job_want){"", "labels", "a map of strings", JOB_QUOTES_ALLOWED});
    return yaml_source_skip(reader->source, node);
}

static void read_weight(struct job_reader *reader, const struct yaml_node *node,
                        struct task_fields *fields)
{
    const int64_t limits[2] = {1, reader->options->weight_capacity};
    struct job_want want = {"", "weight", "an int or auto", JOB_QUOTES_ALLOWED};
    struct params_text text;
    int64_t weight;
    fields->weight_place = node->place;
    if (!job_value_text(reader, node, want, &text))
        return;
    bool is_auto = strcmp(text.bytes, "auto") == 0;
    want.quotes = JOB_QUOTES_REFUSED;
    if (is_auto)
        fields->weight = TASK_WEIGHT_AUTO;
    else if (job_value_int(reader, node, want, limits, &weight))
        fields->weight = (int32_t)weight;
}

static void read_priority(struct job_reader *reader, const struct yaml_node *node,
                          struct task_fields *fields)
{
    static const int64_t limits[2] = {TASK_PRIORITY_MIN, TASK_PRIORITY_MAX};
    int64_t priority;
    if (job_value_int(reader, node, (struct job_want){"", "priority", "an int", JOB_QUOTES_REFUSED},
                      limits, &priority))
        fields->priority = (int8_t)priority;
}

static void read_at(struct job_reader *reader, const struct yaml_node *node,
                    struct task_fields *fields)
{
    int64_t wall_ns;
    if (job_value_time(reader, node, "at", &wall_ns))
        fields->due_ns = -wall_ns;
}

static void read_when(struct job_reader *reader, const struct yaml_node *node,
                      struct task_fields *fields)
{
    int word = job_value_word(reader, node, "when", task_whens);
    fields->when_place = node->place;
    fields->when = word >= 0 ? (enum task_when)word : WHEN_SUCCESS;
}

static void read_unique(struct job_reader *reader, const struct yaml_node *node,
                        struct task_fields *fields)
{
    struct params_text text;
    if (!job_value_text(reader, node,
                        (struct job_want){"", "unique", "a string", JOB_QUOTES_ALLOWED}, &text))
        return;
    if (text.length > 0 && text.length <= STORE_KEY_MOST_BYTES)
        memcpy(fields->unique, text.bytes, text.length + 1); /* with its NUL */
    else
        job_report(&reader->faults, (struct job_fault){JOB_FILE_TOO_LARGE, node->place, NULL},
                   "'unique' has %" PRIu32 " bytes, allowed are 1 to %d", text.length,
                   STORE_KEY_MOST_BYTES);
}

/* Params can be checked only when the type is known: what comes before it is put aside. */
static bool read_params(struct job_reader *reader, struct job_draft *draft)
{
    struct yaml_node node;
    if (draft->type_place.line == 0) {
        draft->params_aside = true;
        return yaml_source_record(reader->source, &draft->params);
    }
    if (!yaml_source_next(reader->source, &node))
        return false;
    if (draft->offer == NULL)
        return yaml_source_skip(reader->source, &node);
    job_params_begin(reader);
    return job_params_read(reader, &node, draft->offer, draft->type_place);
}

bool job_task_value(struct job_reader *reader, enum task_key key, struct job_draft *draft)
{
    struct task_fields *fields = draft->fields;
    struct yaml_node node;
    if (key == TASK_KEY_PARAMS)
        return read_params(reader, draft);
    if (!yaml_source_next(reader->source, &node))
        return false;
    switch (key) {
    case TASK_KEY_ID:
        read_id(reader, &node, draft);
        break;
    case TASK_KEY_TYPE:
        read_type(reader, &node, draft);
        break;
    case TASK_KEY_NEEDS:
        return job_needs_read(reader, &node);
    case TASK_KEY_WHEN:
        read_when(reader, &node, fields);
        break;
    case TASK_KEY_LABELS:
        return read_labels(reader, &node, fields);
    case TASK_KEY_PRIORITY:
        read_priority(reader, &node, fields);
        break;
    case TASK_KEY_WEIGHT:
        read_weight(reader, &node, fields);
        break;
    case TASK_KEY_TIMEOUT:
        job_value_duration(reader, &node, "timeout", 1, &fields->timeout_ns);
        break;
    case TASK_KEY_DELAY:
        job_value_duration(reader, &node, "delay", 0, &fields->due_ns);
        break;
    case TASK_KEY_AT:
        read_at(reader, &node, fields);
        break;
    case TASK_KEY_UNIQUE:
        read_unique(reader, &node, fields);
        break;
    case TASK_KEY_RETRY:
        return job_retry_read(reader, &node, &fields->retry);
    case TASK_KEY_FOR_EACH:
    case TASK_KEY_PARAMS:
    case TASK_KEY_COUNT:
        break;
    }
    return yaml_source_skip(reader->source, &node);
}

/* Whether a key is one that a task does not have by itself, and which is not known where it
 * stands. */
static const char *misplaced(const struct job_reader *reader, int found)
{
    if (found < 0)
        return NULL;
    if (reader->in_defaults && !task_keys.words[found].in_defaults)
        return "each task says that for itself";
    bool of_others =
        found == TASK_KEY_NEEDS || found == TASK_KEY_WHEN || found == TASK_KEY_FOR_EACH;
    if (reader->options->root == JOB_FILE_TASK && of_others)
        return "it is for tasks of a job file";
    return NULL;
}

static void report_key(struct job_reader *reader, const struct yaml_node *key, const char *why)
{
    CLEANUP(cleanup_free) char *hint = why != NULL ? NULL : key_hint(&task_keys, key);
    struct job_fault fault = {JOB_FILE_UNKNOWN_KEY, key->place, why != NULL ? why : hint};
    job_report(&reader->faults, fault, "unknown key '%s' in %s", yaml_node_shown(key).text,
               reader->in_defaults ? "defaults" : "a task");
}

/* Returns the key that a key excludes, or TASK_KEY_COUNT. */
static enum task_key rival_of(enum task_key key)
{
    if (key == TASK_KEY_DELAY)
        return TASK_KEY_AT;
    return key == TASK_KEY_AT ? TASK_KEY_DELAY : TASK_KEY_COUNT;
}

/* Whether a key, which is in the table, may be read as well as those before it; a merged one that
 * may not is left out in silence. */
static bool key_fits(struct job_reader *reader, const struct yaml_node *node,
                     const struct task_fields *fields, enum task_key key)
{
    enum task_key rival = rival_of(key);
    bool twice = fields->given & task_key_bit(key);
    bool rivals = rival != TASK_KEY_COUNT && (fields->given & task_key_bit(rival));
    if (twice && !node->merged)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_DUPLICATE_KEY, node->place, NULL},
                   "key '%s' stands here twice", node->text);
    else if (rivals && !node->merged)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_CONFLICT, node->place, NULL},
                   "'%s' and '%s' exclude each other", task_keys.words[rival].word, node->text);
    return !twice && !rivals;
}

/* Returns the key whose value is to be read, or TASK_KEY_COUNT if it is to be skipped. */
static enum task_key key_of(struct job_reader *reader, const struct yaml_node *node,
                            struct task_fields *fields, int *next)
{
    int found = key_find(&task_keys, node, next);
    const char *why = misplaced(reader, found);
    if (found < 0 || why != NULL) {
        report_key(reader, node, why);
        return TASK_KEY_COUNT;
    }
    enum task_key key = (enum task_key)found;
    if (!key_fits(reader, node, fields, key))
        return TASK_KEY_COUNT;
    fields->given |= task_key_bit(key);
    return key;
}

/* Reads the value of a key, or keeps it until the items are known that it may name. */
static bool read_or_keep(struct job_reader *reader, enum task_key key, struct job_draft *draft)
{
    if (key == TASK_KEY_FOR_EACH)
        return job_instances_begin(reader, draft);
    if (reader->in_defaults || (!draft->for_each && !reader->keep_all))
        return job_task_value(reader, key, draft);
    return job_instances_keep(reader, key, draft);
}

static bool read_keys(struct job_reader *reader, struct job_draft *draft)
{
    struct task_fields *fields = draft->fields;
    struct yaml_node node;
    int next = 0;
    bool goes_on = true;
    YAML_MAP_NEW(keys);
    fields->given = 0;
    fields->labels.count = 0;
    fields->labels.texts.length = 0;
    while (goes_on && yaml_map_key(reader->source, &keys, &node)) {
        enum task_key key = key_of(reader, &node, fields, &next);
        goes_on = key != TASK_KEY_COUNT ? read_or_keep(reader, key, draft)
                                        : yaml_source_skip_next(reader->source);
    }
    return !yaml_source_broken(reader->source);
}

bool job_defaults_read(struct job_reader *reader, const struct yaml_node *map)
{
    struct job_draft draft = {.fields = &reader->defaults, .place = map->place};
    if (map->kind == YAML_KIND_MAP) {
        reader->in_defaults = true;
        bool goes_on = read_keys(reader, &draft);
        reader->in_defaults = false;
        return goes_on;
    }
    job_value_refuse(reader, map,
                     (struct job_want){"", "defaults", "a map of task fields", JOB_QUOTES_ALLOWED});
    return yaml_source_skip(reader->source, map);
}

bool job_task_read(struct job_reader *reader, const struct yaml_node *map, uint32_t position)
{
    struct job_draft draft;
    if (!job_draft_has_room(reader, map->place))
        return false;
    if (map->kind != YAML_KIND_MAP) {
        job_value_refuse(
            reader, map,
            (struct job_want){"an item of ", "tasks", "a map of task fields", JOB_QUOTES_ALLOWED});
        return yaml_source_skip(reader->source, map) && reader->job->mode == JOB_CHECKED;
    }
    job_draft_begin(reader, &draft);
    draft.place = map->place;
    draft.position = position;
    struct yaml_tape_mark mark = yaml_source_mark(reader->source);
    reader->where = JOB_IN_TASK;
    bool goes_on = read_keys(reader, &draft);
    if (draft.kept_count == 0 && !draft.for_each)
        goes_on = goes_on && job_draft_finish(reader, &draft);
    else
        goes_on = goes_on && job_instances_add(reader, &draft);
    reader->where = JOB_IN_HEAD;
    if (draft.for_each)
        job_each_end(&reader->each);
    yaml_source_forget(reader->source, mark);
    return goes_on;
}
