#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/table.h"
#include "serve/plugin_json.h"
#include "support/buffer.h"
#include "support/cleanup.h"

static const struct argp argp = {
    .parser = options_parse_alone,
    .doc = "Loads every plugin of the plugin folders and lists them, and for each that is refused "
           "the reason."
           "\vFor example:\n\n"
           "  sluice plugin list --plugins ./build\n",
    .children = options_children,
};

static void add_json(void *context, const struct registry_plugin *plugin)
{
    json_array_append_new(context, plugin_json(plugin));
}

static const char *or_dash(const char *text)
{
    return text == NULL || text[0] == '\0' ? "-" : text;
}

static void add_row(void *context, const struct registry_plugin *plugin)
{
    CLEANUP(buffer_fini) struct buffer types = BUFFER_EMPTY;
    char generation[16] = "";

    for (size_t i = 0; i < plugin->types_count; i++)
        buffer_printf(&types, "%s%s", i == 0 ? "" : " ", plugin->types[i]->name);
    if (plugin->generation > 0)
        snprintf(generation, sizeof(generation), "%u", plugin->generation);
    table_add(context, (const char *const[]){or_dash(plugin->plugin), or_dash(plugin->version),
                                             or_dash(generation), plugin->state,
                                             or_dash(buffer_text(&types)), plugin->file});
    if (plugin->reason != NULL)
        table_add(context, (const char *const[]){"", "", "", "", "", plugin->reason});
}

static void list_json(struct registry *registry)
{
    json_t *plugins = json_array();

    registry_visit_plugins(registry, add_json, plugins);
    output_json(json_pack("{so}", "plugins", plugins));
}

static void list_text(struct registry *registry)
{
    CLEANUP(table_fini) struct table table;

    table_init(&table, 6);
    table_add(&table, (const char *const[]){"PLUGIN", "VERSION", "GENERATION", "STATE", "TYPES",
                                            "FILE, AND WHY IT IS REFUSED"});
    registry_visit_plugins(registry, add_row, &table);
    if (table.rows > 1)
        table_print(&table, stdout);
    else
        puts("no plugins");
}

int command_plugin_list(struct options *options, int argc, char **argv)
{
    CLEANUP(config_fini) struct config config;
    CLEANUP(plugins_close) struct plugins plugins = {.refusals_listed = true};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, options);
    if (!options_configure(options, &config, &code))
        return code;
    if (!plugins_open(&plugins, &config))
        return EXIT_HOST;
    registry_load_all(plugins.registry);
    if (options->format == FORMAT_JSON)
        list_json(plugins.registry);
    else
        list_text(plugins.registry);
    return plugins_leave_if_stuck(&plugins, EXIT_ALL_WELL);
}
