/* subject: the one argument of a command that is about one thing: a job, a task, a plugin's file.
 * Embedded by the command; main thread. */
#pragma once

#include <argp.h>

#include "cli/daemon.h"
#include "cli/options.h"

struct subject {
    struct options *common;
    const char *what; /* it is, for messages: "task" */
    const char *name; /* as the command line has it; NULL until it was read */
};

/* The parser of a command with one argument, which is required, and no options of its own; its
 * input is a struct subject. Another parser may hand it what it does not know. */
error_t subject_parse(int key, char *argument, struct argp_state *state);

/* The same where the argument may be missing: then the name stays NULL. */
error_t subject_parse_optional(int key, char *argument, struct argp_state *state);

/* Returns the id of what a name means, malloc'ed; NULL with the reason printed and the exit code.
 * */
typedef char *subject_finder(struct daemon *daemon, const char *name, int *code);
typedef int subject_function(struct daemon *daemon, const char *id, const struct options *options);

/* Opens the daemon, finds what the name means, and calls the function with it. Returns the exit
 * code. */
int subject_find(const struct subject *subject, subject_finder *find, subject_function *function);
