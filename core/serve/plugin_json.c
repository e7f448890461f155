#include "serve/plugin_json.h"

#include "serve/json_text.h"

json_t *plugin_json(const struct registry_plugin *plugin)
{
    json_t *types = json_array();

    for (size_t i = 0; i < plugin->types_count; i++)
        json_array_append_new(types, json_string(plugin->types[i]->name));
    return json_pack("{so so si ss so so so}", "plugin", json_text_or_null(plugin->plugin),
                     "version", json_text_or_null(plugin->version), "generation",
                     (int)plugin->generation, "state", plugin->state, "types", types, "file",
                     json_text_or_null(plugin->file), "reason", json_text_or_null(plugin->reason));
}
