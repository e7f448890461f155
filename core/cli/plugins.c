#include "cli/plugins.h"

#include <stdlib.h>

#include "cli/output.h"
#include "support/cleanup.h"

enum { START_LIMIT_S = 10 };

struct registry *plugins_open(const struct config *config)
{
    CLEANUP(cleanup_free)
    struct registry_setting *settings = calloc(config->settings_count + 1, sizeof(*settings));
    struct error error;

    if (settings == NULL)
        abort();
    for (size_t i = 0; i < config->settings_count; i++) {
        const struct config_setting *from = &config->settings[i];
        settings[i] = (struct registry_setting){from->plugin, from->key, from->value};
    }
    struct registry *registry = registry_create(
        &(struct registry_options){
            .plugin_dirs = (const char *const *)config->plugin_dirs,
            .state_dir = config->state_dir,
            .settings = settings,
            .settings_count = config->settings_count,
            .start_limit_ns = START_LIMIT_S * NS_PER_S,
        },
        &error);
    if (registry == NULL)
        output_error("%s", error.message);
    return registry;
}
