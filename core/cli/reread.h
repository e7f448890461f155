/* reread: what SIGHUP does to the configuration of a command that runs a host. Main thread. */
#pragma once

#include <stdbool.h>

#include "config.h"

/* Takes over from next what may change while the host runs, sets up the log, and logs what has
 * changed and what needs a restart. False with a message printed, and nothing has changed. */
bool reread_take(struct config *config, struct config *next);
