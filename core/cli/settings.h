/* settings: what --set says of the variables of job files; shared by the commands that read them.
 * Zero-initialise; main thread. */
#pragma once

#include <argp.h>
#include <stddef.h>

#include "accept/job_file.h"

enum { SETTINGS_MOST = 1024 };

struct settings {
    struct job_setting items[SETTINGS_MOST]; /* texts of the command line */
    size_t count;
};

/* The row of a command's table of options; key is the command's own. */
#define SETTINGS_OPTION(option_key)                                                                \
    {                                                                                              \
        .name = "set", .key = (option_key), .arg = "vars.NAME=VALUE",                              \
        .doc = "a variable of the job files, in place of what they say; repeatable"                \
    }

/* Adds what --set was given, splitting it in place; anything but vars.NAME=VALUE in UTF-8 ends the
 * program with a message. */
void settings_add(struct settings *settings, char *argument, struct argp_state *state);
