/* plugins: the registry as `check` and the `plugin` commands open it. Main thread. */
#pragma once

#include "config.h"
#include "plugin/registry.h"

/* Opens the registry with the folders and settings of the configuration; NULL with a message
 * printed. */
struct registry *plugins_open(const struct config *config);
