/* job_schema: the JSON Schema of job files, from the table of keys (job_keys.def) and the types of
 * all plugins that are loaded. Accepts whatever the job file reader accepts; refuses what is wrong
 * in its structure, not what has to be looked up or computed. Stateless; any thread but the
 * loader. */
#pragma once

#include <jansson.h>

#include "plugin/registry.h"

/* Makes the schema of the types that are loaded now: a command has them all loaded first. Does not
 * block for long. */
json_t *job_schema(struct registry *registry);
