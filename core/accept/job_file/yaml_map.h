/* yaml_map: reading a map key by key, its own keys first, then those that merge keys (<<) bring in.
 * Lives on the stack of whoever reads the map, made by YAML_MAP_NEW behind the MAP node; the
 * reader's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/job_file/yaml_source.h"

struct yaml_map {
    uint32_t merges_count;
    bool merging;                                   /* its own keys are read */
    struct yaml_aside merges[JOB_FILE_MERGES_MOST]; /* still to be merged, the next one last */
};

/* Makes a map of which nothing was read; the merges need no values yet. */
#define YAML_MAP_NEW(map)                                                                          \
    struct yaml_map map;                                                                           \
    (map).merges_count = 0;                                                                        \
    (map).merging = false

/* Reads the next key; its value has to be read or skipped before the next one. False at the end of
 * the map and when the source is broken. A key that is no scalar is reported and left out. Whoever
 * reads a key with .merged set that it had before skips its value; without .merged such a key
 * stands twice. */
bool yaml_map_key(struct yaml_source *source, struct yaml_map *map, struct yaml_node *key);
