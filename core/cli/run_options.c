#include "cli/run_options.h"

#include <string.h>
#include <unistd.h>

#include "cli/output.h"

enum { WORKERS_MOST = 1024, WEIGHT_MOST = 1000000 };
enum {
    OPTION_STREAM = 2000,
    OPTION_EVENTS,
    OPTION_PROGRESS,
    OPTION_MAX_WEIGHT,
    OPTION_WORKERS,
    OPTION_DRY_RUN,
    OPTION_GRAPH,
    OPTION_SET,
    OPTION_STATE,
    OPTION_CHANGED,
    OPTION_ISOLATION
};

static const struct argp_option table[] = {
    {.name = "stream", .key = OPTION_STREAM, .doc = "run tasks while the file is still being read"},
    {.name = "events",
     .key = OPTION_EVENTS,
     .arg = "FILE",
     .doc = "write one JSON line for every task that ends, and for each attempt before"},
    {.name = "progress",
     .key = OPTION_PROGRESS,
     .arg = "auto|on|off",
     .doc = "a line about what is done; auto: on a terminal"},
    {.name = "max-weight",
     .key = OPTION_MAX_WEIGHT,
     .arg = "N",
     .doc = "weight that may run at once"},
    {.name = "workers",
     .key = OPTION_WORKERS,
     .arg = "TYPE=N",
     .doc = "calls of a task type at once; repeatable"},
    {.name = "dry-run",
     .key = OPTION_DRY_RUN,
     .doc = "run nothing; print the jobs as they would run, with all in them resolved"},
    {.name = "graph",
     .key = OPTION_GRAPH,
     .arg = "dot|mermaid",
     .doc = "run nothing; print which task needs which, for Graphviz or Mermaid"},
    {.name = "state",
     .key = OPTION_STATE,
     .arg = "FILE",
     .doc =
         "keep there what has ended; run again with the same file, only what is unfinished runs"},
    {.name = "changed",
     .key = OPTION_CHANGED,
     .doc = "with --state: go on although a job file has changed; tasks are known by their ids"},
    {.name = "isolation",
     .key = OPTION_ISOLATION,
     .arg = "thread|process",
     .doc = "where calls are made: in threads of the program, or in worker processes, of which a "
            "crash costs one attempt"},
    SETTINGS_OPTION(OPTION_SET),
    {0},
};

static const char *const isolations[] = {"thread", "process", NULL};
static const char *const progress_modes[] = {"auto", "on", "off", NULL};

static void parse_workers(struct run_options *options, char *argument, struct argp_state *state)
{
    char *equals = strrchr(argument, '=');

    if (equals == NULL || equals == argument)
        argp_error(state, "--workers: '%s' is not TYPE=N", argument);
    if (options->workers_count == RUN_WORKERS_MOST)
        argp_error(state, "--workers: more than %d types", RUN_WORKERS_MOST);
    *equals = '\0';
    options->workers[options->workers_count].type = argument;
    options->workers[options->workers_count++].workers =
        options_number(state, "--workers", equals + 1, 1, WORKERS_MOST);
}

/* SQLite takes some names for stores that nobody finds again. */
static const char *state_file(struct argp_state *state, const char *argument)
{
    if (argument[0] == '\0' || strcmp(argument, ":memory:") == 0)
        argp_error(state, "--state: '%s' is not the name of a file", argument);
    return argument;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct run_options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->common;
        return 0;
    case OPTION_STREAM:
        options->mode = JOB_STREAMED;
        return 0;
    case OPTION_ISOLATION:
        options->isolation = options_word(state, "--isolation", isolations, argument);
        return 0;
    case OPTION_EVENTS:
        options->events = argument;
        return 0;
    case OPTION_PROGRESS:
        options->progress =
            (enum progress_mode)options_word(state, "--progress", progress_modes, argument);
        return 0;
    case OPTION_MAX_WEIGHT:
        options->max_weight = options_number(state, "--max-weight", argument, 1, WEIGHT_MOST);
        return 0;
    case OPTION_WORKERS:
        parse_workers(options, argument, state);
        return 0;
    case OPTION_DRY_RUN:
        options->dry_run = true;
        return 0;
    case OPTION_GRAPH:
        options->dry_run = true;
        options->graph = (enum plan_graph)(
            PLAN_GRAPH_DOT + options_word(state, "--graph", plan_graph_words, argument));
        return 0;
    case OPTION_STATE:
        options->state = state_file(state, argument);
        return 0;
    case OPTION_CHANGED:
        options->changed = true;
        return 0;
    case OPTION_SET:
        settings_add(&options->names.settings, argument, state);
        return 0;
    }
    if (key == ARGP_KEY_SUCCESS && options->dry_run && options->mode == JOB_STREAMED)
        argp_error(state, "--dry-run and --graph read all of a file: they do not go with --stream");
    if (key == ARGP_KEY_SUCCESS && options->changed && options->state == NULL)
        argp_error(state, "--changed goes with --state");
    return input_names_parse(key, state, &options->names);
}

static const struct argp argp = {
    .options = table,
    .parser = parse,
    .args_doc = "JOB.yaml...",
    .doc = "Runs job files here and now, and exits when all tasks have ended. `-' reads standard "
           "input."
           "\vFor example:\n\n"
           "  sluice run nightly.yaml\n"
           "  sluice run --workers hash=4 --events nightly.events nightly.yaml\n\n"
           "Exit code: 0 all tasks succeeded; 1 some did not; 2 wrong usage, job file or "
           "configuration; 3 the host could not start; 130, 143 stopped by SIGINT, SIGTERM. The "
           "first signal lets running tasks finish, the second cancels them. SIGHUP sent by a "
           "process reloads plugins and configuration.\n",
    .children = options_children,
};

void run_options_parse(struct run_options *options, struct options *common, int argc, char **argv)
{
    *options = (struct run_options){.common = common, .isolation = -1};
    argp_parse(&argp, argc, argv, 0, NULL, options);
}

bool run_options_apply(const struct run_options *options, struct config *config)
{
    struct error error;

    for (size_t i = 0; i < options->workers_count; i++)
        if (!config_set_workers(config, options->workers[i].type, options->workers[i].workers,
                                &error))
            return output_error("--workers %s: %s", options->workers[i].type, error.message);
    if (options->isolation >= 0)
        config_set_isolation(config, (enum config_isolation)options->isolation);
    if (options->max_weight > 0)
        config->max_weight = options->max_weight;
    return config_check_weights(config, NULL, &error) ||
           output_error("--max-weight %lld: %s", (long long)options->max_weight, error.message);
}

bool run_options_show_progress(const struct run_options *options)
{
    switch (options->progress) {
    case PROGRESS_AUTO:
        return !options->common->quiet && output_is_terminal(STDERR_FILENO);
    case PROGRESS_ON:
        return true;
    case PROGRESS_OFF:
        return false;
    }
    return false;
}
