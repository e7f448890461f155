/* plugins: the registry as `check` and the `plugin` commands open it. Main thread. */
#pragma once

#include "config.h"
#include "plugin/registry.h"

struct plugins {
    struct registry *registry;
    struct registry_setting *settings;
    const struct config *config;
    struct fallen *fallen; /* set before plugins_open; may be NULL */
    bool refusals_listed;  /* set before plugins_open: the command lists what is refused */
};

/* Opens the registry with the folders and settings of the configuration, which is borrowed; false
 * with a message printed. plugins_close is due either way. */
bool plugins_open(struct plugins *plugins, const struct config *config);

/* Closes it. Fits CLEANUP. */
void plugins_close(struct plugins *plugins);

/* Returns whether a plugin that was found has the task type; if none has, prints so with the
 * nearest one. Loads nothing. */
bool plugins_know(const struct plugins *plugins, const char *type);

/* Leaves the program at once with the code if a plugin does not return from its init or entry,
 * or else returns the code. */
int plugins_leave_if_stuck(const struct plugins *plugins, int code);
