/* job_schema: the JSON Schema of job files, from the table of keys (job_keys.def) and the types of
 * all plugins that load. Accepts whatever the job file reader accepts; refuses what is wrong in its
 * structure, not what has to be looked up or computed. Stateless; any thread but the loader. */
#pragma once

#include <jansson.h>

#include "plugin/registry.h"

/* Makes the schema; loads every plugin that was found. Blocks while they load. */
json_t *job_schema(struct registry *registry);
