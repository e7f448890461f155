#include "accept/job_file/yaml_map.h"

#include <string.h>

#include "accept/job_file/job_report.h"

/* Notes what a merge key names; the first of a list wins, so it goes on top. */
static bool merge_note(struct yaml_source *source, struct yaml_map *map,
                       const struct yaml_node *key)
{
    struct yaml_aside value, items[JOB_FILE_MERGES_MOST];
    if (!yaml_source_record(source, &value))
        return false;
    uint32_t count = yaml_source_items(source, value, items, JOB_FILE_MERGES_MOST);
    if (count > JOB_FILE_MERGES_MOST - map->merges_count) {
        job_report(yaml_source_faults(source),
                   (struct job_fault){JOB_FILE_TOO_LARGE, key->place, NULL},
                   "more than %d maps are merged into one", JOB_FILE_MERGES_MOST);
        return true;
    }
    while (count > 0)
        map->merges[map->merges_count++] = items[--count];
    return true;
}

/* Goes into the next map to be merged; false if there is none. */
static bool merge_begin(struct yaml_source *source, struct yaml_map *map)
{
    while (map->merges_count > 0) {
        struct yaml_node node;
        yaml_source_replay(source, map->merges[--map->merges_count]);
        if (!yaml_source_next(source, &node))
            return false;
        map->merging = true;
        if (node.kind == YAML_KIND_MAP)
            return true;
        if (node.kind != YAML_KIND_WRONG)
            job_report(yaml_source_faults(source),
                       (struct job_fault){JOB_FILE_WRONG_TYPE, node.place, NULL},
                       "'<<' wants a map or a list of maps");
        if (!yaml_source_skip(source, &node))
            return false;
    }
    return false;
}

static bool is_merge(const struct yaml_node *key)
{
    return key->length == 2 && key->plain && memcmp(key->text, "<<", 2) == 0;
}

/* Leaves out a key that is none, and its value. */
static bool skip_entry(struct yaml_source *source, const struct yaml_node *key)
{
    if (key->kind != YAML_KIND_WRONG)
        job_report(yaml_source_faults(source),
                   (struct job_fault){JOB_FILE_WRONG_TYPE, key->place, NULL},
                   "a key must be a word");
    return yaml_source_skip(source, key) && yaml_source_skip_next(source);
}

bool yaml_map_key(struct yaml_source *source, struct yaml_map *map, struct yaml_node *key)
{
    while (yaml_source_next(source, key)) {
        bool goes_on;
        if (key->kind == YAML_KIND_END) {
            goes_on = map->merges_count > 0 && merge_begin(source, map);
        } else if (key->kind != YAML_KIND_SCALAR) {
            goes_on = skip_entry(source, key);
        } else if (is_merge(key)) {
            goes_on = merge_note(source, map, key);
        } else {
            key->merged = map->merging;
            return true;
        }
        if (!goes_on)
            return false;
    }
    return false;
}
