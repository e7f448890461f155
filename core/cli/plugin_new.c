#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/starter.h"
#include "cli/subject.h"
#include "plugin/name.h"
#include "sluice/plugin.h"
#include "support/buffer.h"
#include "support/cleanup.h"

static error_t parse(int key, char *argument, struct argp_state *state)
{
    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "what is the plugin to be called?");
    return subject_parse(key, argument, state);
}

static const struct argp argp = {
    .args_doc = "NAME",
    .parser = parse,
    .doc = "Makes a folder NAME with a plugin of that name in it: its source, a Makefile and a "
           "CMakeLists.txt, a job, a test. It builds and passes its test as it is; make it yours "
           "from there."
           "\vFor example:\n\n"
           "  sluice plugin new mail && cd mail && make && make test\n\n"
           "Exit code: 0; 2 the name cannot be a plugin's, or the folder is there already; 3 the "
           "folder cannot be made.\n",
    .children = options_children,
};

static void print_json(const char *name, const char *files)
{
    json_t *list = json_array();

    for (size_t length; (length = strcspn(files, "\n")) > 0; files += length + 1)
        json_array_append_new(list, json_stringn(files, length));
    output_json(json_pack("{ss, ss, so}", "plugin", name, "folder", name, "files", list));
}

static void print_text(const char *name)
{
    printf("made %s: a plugin with the task type '%s'\n\n"
           "  cd %s\n"
           "  make          # builds %s.so\n"
           "  make test     # runs its job and looks at what comes out\n",
           name, name, name, name);
}

int command_plugin_new(struct options *common, int argc, char **argv)
{
    struct subject subject = {.common = common, .what = "NAME"};
    CLEANUP(buffer_fini) struct buffer files = BUFFER_EMPTY;
    struct error error;

    argp_parse(&argp, argc, argv, 0, NULL, &subject);
    if (!name_is_plugin(subject.name)) {
        output_error("'%s' cannot be a plugin's name: a to z first, then a to z, 0 to 9, '_' and "
                     "'-', at most %d in all",
                     subject.name, SLUICE_NAME_MAX);
        return EXIT_USAGE;
    }
    if (!starter_make(subject.name, &files, &error)) {
        output_error("%s", error.message);
        return strcmp(error.code, "exists") == 0 ? EXIT_USAGE : EXIT_HOST;
    }
    if (common->format == FORMAT_JSON)
        print_json(subject.name, buffer_text(&files));
    else if (!common->quiet)
        print_text(subject.name);
    return EXIT_ALL_WELL;
}
