#include <gnu/libc-version.h>
#include <jansson.h>
#include <stdio.h>
#include <yaml.h>

#include "cli/command.h"
#include "cli/output.h"
#include "sluice/plugin.h"

static const struct argp argp = {
    .parser = options_parse_alone,
    .doc = "Prints the versions of the program, of the SDK that it offers to plugins, and of the "
           "libraries that it uses.",
    .children = options_children,
};

int command_version(struct options *options, int argc, char **argv)
{
    struct {
        const char *name, *version;
    } libraries[] = {
        {"glibc", gnu_get_libc_version()},  {"libyaml", yaml_get_version_string()},
        {"jansson", jansson_version_str()}, {"inih", HOST_INIH_VERSION},
        {"libelf", HOST_LIBELF_VERSION},
    };
    json_t *json = json_object();

    argp_parse(&argp, argc, argv, 0, NULL, options);
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
        json_object_set_new(json, libraries[i].name, json_string(libraries[i].version));
    if (options->format == FORMAT_JSON) {
        output_json(json_pack("{ss so so}", "version", HOST_VERSION, "abi",
                              json_sprintf("%d.%d", SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR),
                              "libraries", json));
        return EXIT_ALL_WELL;
    }
    json_decref(json);
    printf("sluice   %s\nABI      %d.%d\n", HOST_VERSION, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR);
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
        printf("%-8s %s\n", libraries[i].name, libraries[i].version);
    return EXIT_ALL_WELL;
}
