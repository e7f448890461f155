#include <stdio.h>
#include <string.h>

#include "cli/candidate.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/subject.h"
#include "cli/trial.h"
#include "support/cleanup.h"

enum { OPTION_SET = 2000, OPTION_TASK, SETTINGS_MOST = 256, TASKS_MOST = 256 };

struct request {
    struct subject subject; /* first: its parser reads it */
    struct trial_setting settings[SETTINGS_MOST];
    size_t settings_count;
    const char *tasks[TASKS_MOST];
    size_t tasks_count;
};

static void add_setting(struct request *request, char *argument, struct argp_state *state)
{
    char *equals = strchr(argument, '=');

    if (equals == NULL || equals == argument)
        argp_error(state, "--set: '%s' is not KEY=VALUE", argument);
    if (request->settings_count == SETTINGS_MOST)
        argp_error(state, "--set: more than %d settings", SETTINGS_MOST);
    *equals = '\0';
    request->settings[request->settings_count++] = (struct trial_setting){argument, equals + 1};
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct request *request = state->input;

    switch (key) {
    case OPTION_SET:
        add_setting(request, argument, state);
        return 0;
    case OPTION_TASK:
        if (request->tasks_count == TASKS_MOST)
            argp_error(state, "--task: more than %d tasks", TASKS_MOST);
        request->tasks[request->tasks_count++] = argument;
        return 0;
    }
    return subject_parse(key, argument, state);
}

static const struct argp_option table[] = {
    {.name = "task",
     .key = OPTION_TASK,
     .arg = "TASK",
     .doc = "a task to run, as in a job file; repeatable. Types without one are tried with nothing "
            "but their defaults, if that is possible"},
    {.name = "set",
     .key = OPTION_SET,
     .arg = "KEY=VALUE",
     .doc = "a setting of the plugin, over those of [plugin:NAME] in the configuration; "
            "repeatable"},
    {0},
};

static const struct argp argp = {
    .args_doc = "FILE.so",
    .options = table,
    .parser = parse,
    .doc = "Checks whether a plugin keeps the rules of sluice/plugin.h: all that the host looks at "
           "before any of its code runs, and then, in a process of its own, what is left of it "
           "when it was loaded and unloaded twice and its tasks have run: threads, open files, "
           "signal handlers and more."
           "\vFor example:\n\n"
           "  sluice plugin check greet.so\n"
           "  sluice plugin check hash.so --task '{type: hash, params: {path: /bin/sh}}'\n\n"
           "Exit code: 0 all is well; 1 something is not; 2 wrong usage; 3 it cannot be "
           "checked.\n",
    .children = options_children,
};

/* Tries what may be run; false with a message printed if that is not possible. */
static bool try_out(const struct request *request, const struct config *config,
                    const struct candidate *candidate, struct findings *findings)
{
    const struct trial_order order = {.copy = candidate->copy,
                                      .plugin = candidate->note.name,
                                      .config = config,
                                      .settings = request->settings,
                                      .settings_count = request->settings_count,
                                      .tasks_mode = TRIAL_TASKS_RUN,
                                      .tasks = request->tasks,
                                      .tasks_count = request->tasks_count,
                                      .verbose = request->subject.common->verbose};
    struct error error;

    return trial_run(&order, findings, &error) || output_error("%s", error.message);
}

static void print_json(const struct candidate *candidate, const struct findings *findings)
{
    const struct note *note = &candidate->note;
    bool named = note->name[0] != '\0';

    output_json(json_pack("{ss?, ss?, sb, sO}", "plugin", named ? note->name : NULL, "version",
                          named ? note->version : NULL, "ok", findings->failed == 0, "checks",
                          findings->list));
}

int command_plugin_check(struct options *common, int argc, char **argv)
{
    struct request request = {.subject = {.common = common, .what = "FILE.so"}};
    CLEANUP(config_fini) struct config config;
    CLEANUP(findings_fini) struct findings findings;
    CLEANUP(candidate_close) struct candidate candidate = {.copy_fd = -1};
    int code;

    findings_init(&findings);
    argp_parse(&argp, argc, argv, 0, NULL, &request);
    if (!options_configure(common, &config, &code))
        return code;
    findings.format = common->format;
    findings.shown = common->quiet ? FINDINGS_FAILURES : FINDINGS_ALL;
    if (candidate_open(&candidate, request.subject.name, config.state_dir, &findings) &&
        !try_out(&request, &config, &candidate, &findings))
        return EXIT_HOST;
    if (common->format == FORMAT_JSON)
        print_json(&candidate, &findings);
    return findings.failed == 0 ? EXIT_ALL_WELL : EXIT_TASKS;
}
