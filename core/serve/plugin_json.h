/* plugin_json: a plugin as `plugin list --format json` and the API tell of it. Stateless; any
 * thread, while the registry shows the plugin. */
#pragma once

#include <jansson.h>

#include "plugin/registry.h"

/* Returns a new object. */
json_t *plugin_json(const struct registry_plugin *plugin);
