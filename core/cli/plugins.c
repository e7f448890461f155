#include "cli/plugins.h"

#include <stdlib.h>

#include "cli/output.h"

enum { START_LIMIT_S = 10 };

bool plugins_open(struct plugins *plugins, const struct config *config)
{
    struct registry_setting *settings = calloc(config->settings_count + 1, sizeof(*settings));
    struct error error;

    if (settings == NULL)
        abort();
    for (size_t i = 0; i < config->settings_count; i++) {
        const struct config_setting *from = &config->settings[i];
        settings[i] = (struct registry_setting){from->plugin, from->key, from->value};
    }
    struct registry_options options = {
        .plugin_dirs = (const char *const *)config->plugin_dirs,
        .state_dir = config->state_dir,
        .settings = settings,
        .settings_count = config->settings_count,
        .start_limit_ns = START_LIMIT_S * NS_PER_S,
    };
    *plugins = (struct plugins){.settings = settings, .config = config};
    plugins->registry = registry_create(&options, &error);
    return plugins->registry != NULL || output_error("%s", error.message);
}

void plugins_close(struct plugins *plugins)
{
    registry_destroy(&plugins->registry);
    free(plugins->settings);
    plugins->settings = NULL;
}

int plugins_leave_if_stuck(const struct plugins *plugins, int code)
{
    if (registry_left_behind(plugins->registry) == 0)
        return code;
    config_remove_temporary(plugins->config);
    output_leave(code);
}
