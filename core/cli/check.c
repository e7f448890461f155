#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "accept/job_file.h"
#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/unserved.h"
#include "support/cleanup.h"

enum { OPTION_SET = 2000 };

struct check {
    struct options *common;
    struct input_names names;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct check *check = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = check->common;
        return 0;
    case OPTION_SET:
        settings_add(&check->names.settings, argument, state);
        return 0;
    }
    return input_names_parse(key, state, &check->names);
}

static const struct argp_option table[] = {SETTINGS_OPTION(OPTION_SET), {0}};

static const struct argp argp = {
    .options = table,
    .parser = parse,
    .args_doc = "JOB.yaml...",
    .doc = "Checks job files against the plugins that are there and prints every error. Runs "
           "nothing. `-' reads standard input."
           "\vFor example:\n\n"
           "  sluice check nightly.yaml\n\n"
           "Exit code: 0 no errors; 2 errors; 3 the plugins could not be looked at.\n",
    .children = options_children,
};

static void print_right(const struct reader_input *input)
{
    printf("%s: %" PRIu64 " task%s", input->file, input->tasks_count,
           input->tasks_count == 1 ? "" : "s");
    if (input->jobs_count > 1)
        printf(" in %zu jobs", input->jobs_count);
    printf(", no errors\n");
}

static void print_text(const struct inputs *inputs, const struct options *options)
{
    inputs_print(inputs, options);
    for (size_t i = 0; i < inputs->count && !options->quiet; i++)
        if (inputs->items[i].diagnostics.found_count == 0)
            print_right(&inputs->items[i]);
}

static void warn_of_unserved(const struct inputs *inputs, const struct config *config)
{
    if (inputs_errors(inputs) > 0)
        return;
    for (const struct job *job = inputs->jobs.first; job != NULL; job = job->next)
        unserved_warn(job, config);
}

static int check_all(const struct check *check, const struct config *config)
{
    CLEANUP(inputs_close) struct inputs inputs = {0};
    CLEANUP(plugins_close) struct plugins plugins = {0};

    if (!plugins_open(&plugins, config))
        return EXIT_HOST;
    inputs_open(&inputs, &check->names);
    inputs_read(&inputs, config, plugins.registry);
    if (check->common->format == FORMAT_JSON)
        output_json(inputs_json(&inputs));
    else
        print_text(&inputs, check->common);
    warn_of_unserved(&inputs, config);
    return plugins_leave_if_stuck(&plugins,
                                  inputs_errors(&inputs) == 0 ? EXIT_ALL_WELL : EXIT_USAGE);
}

int command_check(struct options *common, int argc, char **argv)
{
    struct check check = {.common = common};
    CLEANUP(config_fini) struct config config;
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &check);
    return options_configure(common, &config, &code) ? check_all(&check, &config) : code;
}
