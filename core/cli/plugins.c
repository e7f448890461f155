#include "cli/plugins.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/log.h"
#include "support/suggest.h"

enum { START_LIMIT_S = 10, PROBE_LIMIT_S = 5 };

/* ---- sections of the configuration that mean nothing that is there ---- */

/* What a section names, looked for among the plugins or types. */
struct sought {
    const char *name;
    bool found;
    struct suggest suggest;
    char nearest[SLUICE_NAME_MAX + 1]; /* a copy of the best: it lives for the visit only */
};

static void offer(struct sought *sought, const char *candidate)
{
    suggest_offer(&sought->suggest, candidate);
    if (sought->suggest.best == candidate)
        snprintf(sought->nearest, sizeof(sought->nearest), "%s", candidate);
}

static void look_for_plugin(void *context, const char *type, const char *plugin)
{
    struct sought *sought = context;

    (void)type;
    sought->found |= strcmp(sought->name, plugin) == 0;
    offer(sought, plugin);
}

static void look_for_types(void *context, const char *type, const char *plugin)
{
    struct sought *sought = context;

    (void)plugin;
    sought->found |= fnmatch(sought->name, type, 0) == 0;
    offer(sought, type);
}

typedef void look_at(void *context, const char *type, const char *plugin);

static void warn_unless_found(const struct plugins *plugins, const char *message, const char *name,
                              uint32_t line, look_at *look)
{
    struct sought sought = {.name = name};
    CLEANUP(buffer_fini) struct buffer place = BUFFER_EMPTY;
    char hint[SLUICE_NAME_MAX + 32];

    suggest_begin(&sought.suggest, name, strlen(name));
    registry_visit_types(plugins->registry, look, &sought);
    if (sought.found)
        return;
    buffer_printf(&place, "%s:%u", plugins->config->file, line);
    snprintf(hint, sizeof(hint), "did you mean '%s'?", sought.nearest);
    if (sought.suggest.best != NULL)
        log_warning(message, LOG_TEXT("name", name), LOG_TEXT("place", buffer_text(&place)),
                    LOG_TEXT("hint", hint));
    else
        log_warning(message, LOG_TEXT("name", name), LOG_TEXT("place", buffer_text(&place)));
}

/* Not errors: a plugin may come later, by a reload, and then these sections hold. */
static void warn_of_config(const struct plugins *plugins)
{
    const struct config *config = plugins->config;

    for (size_t i = 0; i < config->settings_count; i++)
        if (i == 0 || strcmp(config->settings[i].plugin, config->settings[i - 1].plugin) != 0)
            warn_unless_found(plugins, "a section is for a plugin that is not there",
                              config->settings[i].plugin, config->settings[i].line,
                              look_for_plugin);
    for (size_t i = 0; i < config->groups_count; i++)
        if (config->groups[i].line > 0)
            warn_unless_found(plugins, "a group is for types that no plugin has",
                              config->groups[i].type, config->groups[i].line, look_for_types);
}

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
        .probe_limit_ns = PROBE_LIMIT_S * NS_PER_S,
        .fallen = plugins->fallen,
        .refusals_listed = plugins->refusals_listed,
    };
    plugins->settings = settings;
    plugins->config = config;
    plugins->registry = registry_create(&options, &error);
    if (plugins->registry == NULL)
        return output_error("%s", error.message);
    warn_of_config(plugins);
    return true;
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
