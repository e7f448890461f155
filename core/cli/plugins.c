#include "cli/plugins.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "support/suggest.h"

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
        .refusals_listed = plugins->refusals_listed,
    };
    plugins->settings = settings;
    plugins->config = config;
    plugins->registry = registry_create(&options, &error);
    return plugins->registry != NULL || output_error("%s", error.message);
}

void plugins_close(struct plugins *plugins)
{
    registry_destroy(&plugins->registry);
    free(plugins->settings);
    plugins->settings = NULL;
}

struct known {
    struct suggest suggest;
    const char *type;
    bool found;
};

static void visit_type(void *context, const char *type, const char *plugin)
{
    struct known *known = context;

    (void)plugin;
    known->found |= strcmp(type, known->type) == 0;
    suggest_offer(&known->suggest, type);
}

bool plugins_know(const struct plugins *plugins, const char *type)
{
    struct known known = {.type = type};

    suggest_begin(&known.suggest, type, strlen(type));
    registry_visit_types(plugins->registry, visit_type, &known);
    if (!known.found && known.suggest.best != NULL)
        output_error("unknown task type '%s': did you mean '%s'?", type, known.suggest.best);
    else if (!known.found)
        output_error("unknown task type '%s': see `sluice plugin list'", type);
    return known.found;
}

int plugins_leave_if_stuck(const struct plugins *plugins, int code)
{
    if (registry_left_behind(plugins->registry) == 0)
        return code;
    config_remove_temporary(plugins->config);
    output_leave(code);
}
