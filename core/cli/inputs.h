/* inputs: the job files that a command line names: opened all together, what is wrong in them, and
 * perhaps their jobs. Created by a command, main thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"
#include "cli/settings.h"
#include "host.h"

/* The files as the command line names them; borrowed from it. */
struct input_names {
    char **files;
    size_t count;
    struct settings settings; /* for all of them */
};

struct inputs {
    struct reader_input *items;
    size_t count;
    /* of inputs_read */
    struct chunk_pool pool;
    struct job_list jobs; /* of all files, in order */
};

/* The part of a command's argp parser that takes job files; at least one is required. */
error_t input_names_parse(int key, struct argp_state *state, struct input_names *names);

/* Opens the files ("-" is standard input, once). False if one cannot be opened; then its
 * diagnostics say why. inputs_close is due either way. */
bool inputs_open(struct inputs *inputs, const struct input_names *names);

/* Closes the files and frees everything. Fits CLEANUP. */
void inputs_close(struct inputs *inputs);

/* Reads the files into jobs without running anything. What is wrong is in the diagnostics; of a
 * file that could not be opened there are no jobs. May load plugins. */
void inputs_read(struct inputs *inputs, const struct config *config, struct registry *registry);

/* Returns how many errors there are in all files. */
size_t inputs_errors(const struct inputs *inputs);

/* Prints what is wrong in them on standard error. */
void inputs_print(const struct inputs *inputs, const struct options *options);

/* Returns {"files":[{"file":..,"tasks":N,"errors":[..]}]}. */
json_t *inputs_json(const struct inputs *inputs);
