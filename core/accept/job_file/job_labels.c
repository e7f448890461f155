#include "accept/job_file/job_labels.h"

#include <string.h>

#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_value.h"
#include "accept/job_file/yaml_map.h"

void job_labels_fini(struct job_labels *labels)
{
    buffer_fini(&labels->texts);
}

static const char *label_key(const struct job_labels *labels, uint32_t index)
{
    return labels->texts.bytes + labels->pairs[index].key;
}

static const char *label_value(const struct job_labels *labels, uint32_t index)
{
    return labels->texts.bytes + labels->pairs[index].value;
}

static bool has_key(const struct job_labels *labels, const char *key)
{
    for (uint32_t i = 0; i < labels->count; i++)
        if (strcmp(label_key(labels, i), key) == 0)
            return true;
    return false;
}

static uint32_t put_text(struct job_labels *labels, const char *text, size_t length)
{
    uint32_t at = (uint32_t)labels->texts.length;
    buffer_append(&labels->texts, text, length);
    buffer_append(&labels->texts, "", 1);
    return at;
}

static void refuse_too_many(struct job_reader *reader, struct place place)
{
    job_report(&reader->faults, (struct job_fault){JOB_FILE_TOO_LARGE, place, NULL},
               "a task has at most %d labels, those of defaults included", JOB_FILE_LABELS_MOST);
}

/* Letters that need no quotes where labels are written as key=value,key=value. */
static bool key_is_valid(const struct yaml_node *key)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
    return key->length > 0 && key->length <= JOB_FILE_LABEL_KEY_MOST_BYTES &&
           strspn(key->text, letters) == key->length;
}

static bool key_is_new(struct job_reader *reader, const struct job_labels *labels,
                       const struct yaml_node *key)
{
    struct yaml_shown shown = yaml_node_shown(key);
    if (has_key(labels, key->text)) {
        if (!key->merged)
            job_report(&reader->faults,
                       (struct job_fault){JOB_FILE_DUPLICATE_KEY, key->place, NULL},
                       "label '%s' stands here twice", shown.text);
        return false;
    }
    if (key_is_valid(key))
        return true;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_OUT_OF_RANGE, key->place, NULL},
               "label '%s': a key has 1 to %d of letters, digits, . _ - /", shown.text,
               JOB_FILE_LABEL_KEY_MOST_BYTES);
    return false;
}

static bool read_value(struct job_reader *reader, const struct yaml_node *node, const char *key,
                       struct params_text *value)
{
    const struct job_want want = {"label ", key, "a string", JOB_QUOTES_ALLOWED};
    if (!job_value_text(reader, node, want, value))
        return false;
    if (value->length <= JOB_FILE_LABEL_VALUE_MOST_BYTES)
        return true;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_TOO_LARGE, node->place, NULL},
               "label '%s' has %u bytes, at most %d are allowed", key, value->length,
               JOB_FILE_LABEL_VALUE_MOST_BYTES);
    return false;
}

/* Reads the value of a key that is valid. */
static bool read_pair(struct job_reader *reader, const struct yaml_node *key,
                      struct job_labels *labels)
{
    struct yaml_node node;
    struct params_text value;
    uint32_t key_at = put_text(labels, key->text, key->length);
    if (!yaml_source_next(reader->source, &node))
        return false;
    if (!read_value(reader, &node, labels->texts.bytes + key_at, &value))
        return yaml_source_skip(reader->source, &node);
    uint32_t value_at = put_text(labels, value.bytes, value.length);
    labels->pairs[labels->count].key = key_at;
    labels->pairs[labels->count].value = value_at;
    labels->count++;
    return true;
}

void job_labels_read(struct job_reader *reader, struct job_labels *labels)
{
    struct yaml_node key;
    YAML_MAP_NEW(keys);
    bool goes_on = true, full = false;
    while (goes_on && yaml_map_key(reader->source, &keys, &key)) {
        bool fits = !full && key_is_new(reader, labels, &key);
        if (fits && labels->count == JOB_FILE_LABELS_MOST) {
            full = true;
            refuse_too_many(reader, key.place);
        }
        goes_on =
            fits && !full ? read_pair(reader, &key, labels) : yaml_source_skip_next(reader->source);
    }
}

void job_labels_inherit(struct job_reader *reader, struct job_labels *labels,
                        const struct job_labels *defaults, struct place place)
{
    for (uint32_t i = 0; i < defaults->count; i++) {
        const char *key = label_key(defaults, i), *value = label_value(defaults, i);
        if (has_key(labels, key))
            continue;
        if (labels->count == JOB_FILE_LABELS_MOST) {
            refuse_too_many(reader, place);
            return;
        }
        labels->pairs[labels->count].key = put_text(labels, key, strlen(key));
        labels->pairs[labels->count].value = put_text(labels, value, strlen(value));
        labels->count++;
    }
}

/* By insertion: there are few. */
static void insert_sorted(struct sluice_pair *pairs, uint32_t count, struct sluice_pair pair)
{
    for (; count > 0 && strcmp(pairs[count - 1].key, pair.key) > 0; count--)
        pairs[count] = pairs[count - 1];
    pairs[count] = pair;
}

const struct sluice_map *job_labels_keep(const struct job_labels *labels, struct job *job)
{
    if (labels->count == 0)
        return NULL;
    struct sluice_map *map = job_alloc(job, sizeof *map, _Alignof(struct sluice_map));
    struct sluice_pair *pairs =
        job_alloc(job, labels->count * sizeof *pairs, _Alignof(struct sluice_pair));
    char *texts = job_alloc(job, labels->texts.length, 1);
    memcpy(texts, labels->texts.bytes, labels->texts.length);
    for (uint32_t i = 0; i < labels->count; i++)
        insert_sorted(
            pairs, i,
            (struct sluice_pair){texts + labels->pairs[i].key, texts + labels->pairs[i].value});
    *map = (struct sluice_map){.count = labels->count, .pairs = pairs};
    return map;
}
