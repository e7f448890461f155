/* trial: a plugin loaded, called and unloaded again in a process of its own, so that nothing it
 * does hurts, and what is different then. That process is the role "trial" of this program, started
 * by `plugin check` and `plugin install`. Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/findings.h"
#include "config.h"
#include "support/error.h"

enum trial_tasks { TRIAL_TASKS_NONE, TRIAL_TASKS_RUN };

struct trial_setting {
    const char *key, *value;
};

struct trial_order {
    const char *copy;   /* the only file in its folder, but for those that no plugin is called */
    const char *plugin; /* its name */
    const struct config *config;
    const struct trial_setting *settings; /* over those of the configuration */
    size_t settings_count;
    enum trial_tasks tasks_mode;
    const char *const *tasks; /* as in a job file; of types without one their defaults are tried */
    size_t tasks_count;
    bool verbose; /* what the plugin logs is shown, on standard error as all that it prints */
};

/* Tries it: what is found is added to the findings. False if the process could not be started, for
 * the reason in *error. Takes as long as the plugin does, within limits. */
bool trial_run(const struct trial_order *order, struct findings *findings, struct error *error);

/* The role: what that process does. */
int trial_serve(const char *name);
