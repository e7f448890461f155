/* run_options: what the command line of `sluice run` asks for: parsed, and with what contradicts
 * itself refused. Made by the command, main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/plan_graph.h"
#include "config.h"

enum { RUN_WORKERS_MOST = 256 };
enum progress_mode { PROGRESS_AUTO, PROGRESS_ON, PROGRESS_OFF };

/* The texts are the command line's. */
struct run_options {
    struct options *common;
    enum job_mode mode;
    const char *events;
    enum progress_mode progress;
    int64_t max_weight; /* 0: as configured */
    struct {
        char *type;
        int64_t workers;
    } workers[RUN_WORKERS_MOST];
    size_t workers_count;
    bool dry_run;
    enum plan_graph graph;
    const char *state; /* NULL: nothing is kept */
    bool changed;
    int isolation; /* enum config_isolation; -1: as configured */
    struct input_names names;
};

/* Reads the arguments; common are those of every command, borrowed. Wrong ones end the program with
 * a message. */
void run_options_parse(struct run_options *options, struct options *common, int argc, char **argv);

/* Puts the options over the configuration; false with a message printed. */
bool run_options_apply(const struct run_options *options, struct config *config);

/* Returns whether a line about what is done is wanted, with standard error being what it is. */
bool run_options_show_progress(const struct run_options *options);
