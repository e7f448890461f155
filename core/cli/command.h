/* command: the table of what `sluice` can do (commands.def), one file each in this folder, and the
 * exit codes that all of them share. Main thread. */
#pragma once

#include "cli/options.h"

enum exit_code {
    EXIT_ALL_WELL = 0,
    EXIT_TASKS = 1,        /* a task failed, timed out, crashed, was cancelled or skipped */
    EXIT_USAGE = 2,        /* wrong usage, an invalid job or configuration */
    EXIT_HOST = 3,         /* the host could not start, or lost something that it needs */
    EXIT_INTERRUPTED = 130,
    EXIT_TERMINATED = 143,
};

/* Runs a command: reads its arguments (argv[0] is "sluice run"), to which the options before the
 * command's name belong too, and returns the exit code. */
typedef int command_function(struct options *options, int argc, char **argv);

#define COMMAND(words, function, arguments, help) command_function function;
#include "cli/commands.def"
#undef COMMAND

/* Finds the command that the arguments name, reads the options before it, and runs it. Leaves the
 * program with a message if there is none such. */
int command_run(int argc, char **argv);
