#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "serve/job_schema.h"
#include "support/cleanup.h"

static const struct argp argp = {
    .parser = options_parse_alone,
    .doc = "Prints the JSON Schema (draft 2020-12) of job files with the parameters of every task "
           "type that is there; with `--format json\' on one line."
           "\vFor example, to have an editor with a YAML language server complete and check:\n\n"
           "  sluice schema >job.schema.json\n\n"
           "and as the first line of a job file beside it:\n\n"
           "  # yaml-language-server: $schema=job.schema.json\n\n"
           "Exit code: 0; 3 the plugins could not be looked at.\n",
    .children = options_children,
};

static void print_indented(json_t *schema)
{
    json_dumpf(schema, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(schema);
}

int command_schema(struct options *common, int argc, char **argv)
{
    CLEANUP(config_fini) struct config config;
    CLEANUP(plugins_close) struct plugins plugins = {0};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, common);
    if (!options_configure(common, &config, &code))
        return code;
    if (!plugins_open(&plugins, &config))
        return EXIT_HOST;
    registry_load_all(plugins.registry);
    json_t *schema = job_schema(plugins.registry);
    if (common->format == FORMAT_JSON)
        output_json(schema);
    else
        print_indented(schema);
    return plugins_leave_if_stuck(&plugins, EXIT_ALL_WELL);
}
