/* result_map: which tasks of a checked job others refer to. Made by the job when the first is
 * referred to and filled by its reader thread; from the first task that is handed on it is
 * immutable, and any thread finds in it. window.h has those of a streamed job. */
#pragma once

#include <stdint.h>

#include "accept/result.h"

struct result_map;

/* Makes an empty map; running out of memory aborts, here and below. */
struct result_map *result_map_create(void);

/* Frees it and its results; clears the pointer; accepts NULL. */
void result_map_destroy(struct result_map **map);

/* Returns the result of a task, which is made if need be and lives as long as the map. Reader
 * thread. */
struct result *result_map_add(struct result_map *map, uint32_t number);

/* Returns the result of a task; NULL if nobody refers to it. Any thread. */
struct result *result_map_find(const struct result_map *map, uint32_t number);
