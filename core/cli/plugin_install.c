#include <stdio.h>
#include <string.h>

#include "cli/candidate.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/plugin_place.h"
#include "cli/subject.h"
#include "cli/trial.h"
#include "support/buffer.h"
#include "support/cleanup.h"

enum { OPTION_TO = 2000 };

struct install {
    struct subject subject; /* first: its parser reads it */
    const char *to;         /* NULL: the first folder that can be written */
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct install *install = state->input;

    if (key != OPTION_TO)
        return subject_parse(key, argument, state);
    install->to = argument;
    return 0;
}

static const struct argp_option table[] = {
    {.name = "to",
     .key = OPTION_TO,
     .arg = "DIR",
     .doc = "the folder; without it the first plugin folder that can be written"},
    {0},
};

static const struct argp argp = {
    .args_doc = "FILE.so",
    .options = table,
    .parser = parse,
    .doc = "Checks a plugin as `sluice plugin check' does, without running tasks, and puts it into "
           "the plugin folder, under "
           "the name that it gives itself and in one step: a running daemon sees the old file or "
           "the new one, and goes on with what it has until it is told to reload."
           "\vFor example:\n\n"
           "  sluice plugin install greet.so && sluice reload\n\n"
           "Exit code: 0; 1 something is wrong with the plugin, and it is not installed; 2 wrong "
           "usage; 3 it cannot be installed: there is no folder for it, or something in the way.\n",
    .children = options_children,
};

static bool is_same_build(const struct note *one, const struct note *other)
{
    return strcmp(one->build_id, "0") != 0 && strcmp(one->build_id, other->build_id) == 0;
}

static void print_text(const struct note *note, const struct plugin_place *place,
                       const struct config *config, const char *behind)
{
    const struct note *before = &place->replaced;

    printf("%s %s is installed: %s/%s\n", note->name, note->version, place->folder, place->name);
    if (before->name[0] != '\0')
        printf("before it was %s%s\n", before->version,
               is_same_build(note, before) ? ", the very same build" : "");
    for (size_t length; (length = strcspn(behind, "\n")) > 0; behind += length + 1)
        printf("it takes the place of %.*s when a daemon starts anew\n", (int)length, behind);
    if (config->plugin_dirs[place->index] == NULL)
        printf("that is none of the plugin folders: name it by plugin_dir or --plugins\n");
    else
        printf("a running daemon takes it with: sluice reload\n");
}

static void print_json(const struct note *note, const struct plugin_place *place,
                       const struct findings *findings)
{
    const char *before = place->replaced.name[0] == '\0' ? NULL : place->replaced.version;
    json_t *file = json_sprintf("%s/%s", place->folder, place->name);

    output_json(json_pack("{ss, ss, so, ss?, sO}", "plugin", note->name, "version", note->version,
                          "file", file, "before", before, "checks", findings->list));
}

static int put(const struct install *install, const struct config *config,
               const struct candidate *candidate, const struct findings *findings)
{
    CLEANUP(plugin_place_close) struct plugin_place place;
    CLEANUP(buffer_fini) struct buffer behind = BUFFER_EMPTY;
    struct error error;

    if (!plugin_place_open(&place, config, install->to, &error) ||
        !plugin_place_look(&place, config, &candidate->note, &behind, &error) ||
        !plugin_place_put(&place, candidate->copy_fd, &error)) {
        output_error("%s", error.message);
        return EXIT_HOST;
    }
    if (install->subject.common->format == FORMAT_JSON)
        print_json(&candidate->note, &place, findings);
    else if (!install->subject.common->quiet)
        print_text(&candidate->note, &place, config, buffer_text(&behind));
    return EXIT_ALL_WELL;
}

/* Its tasks are not run: who installs a plugin has not asked for what they do. */
static bool try_out(const struct config *config, const struct candidate *candidate,
                    struct findings *findings)
{
    const struct trial_order order = {.copy = candidate->copy,
                                      .plugin = candidate->note.name,
                                      .config = config,
                                      .tasks_mode = TRIAL_TASKS_NONE};
    struct error error;

    return trial_run(&order, findings, &error) || output_error("%s", error.message);
}

int command_plugin_install(struct options *common, int argc, char **argv)
{
    struct install install = {.subject = {.common = common, .what = "FILE.so"}};
    CLEANUP(config_fini) struct config config;
    CLEANUP(findings_fini) struct findings findings;
    CLEANUP(candidate_close) struct candidate candidate = {.copy_fd = -1};
    int code;

    findings_init(&findings);
    argp_parse(&argp, argc, argv, 0, NULL, &install);
    if (!options_configure(common, &config, &code))
        return code;
    findings.format = common->format;
    findings.shown = FINDINGS_FAILURES;
    if (candidate_open(&candidate, install.subject.name, config.state_dir, &findings) &&
        !try_out(&config, &candidate, &findings))
        return EXIT_HOST;
    if (findings.failed == 0)
        return put(&install, &config, &candidate, &findings);
    if (common->format == FORMAT_JSON)
        output_json(json_pack("{sn, sO}", "plugin", "checks", findings.list));
    else
        output_error("%s is not installed", install.subject.name);
    return EXIT_TASKS;
}
