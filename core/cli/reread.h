/* reread: what a reload does to the configuration of a command that runs a host. Main thread. */
#pragma once

#include <stdbool.h>

#include "config.h"
#include "serve/reread_report.h"

/* Takes over from next what may change while the host runs, sets up the log, and logs what has
 * changed and what needs a restart; report (NULL: nobody wants it) gets the same. False with a
 * message printed, and nothing has changed. */
bool reread_take(struct config *config, struct config *next, struct reread_report *report);

/* Says in the report that nothing was taken, with the messages that were collected
 * (output_collect). NULL: nobody wants it. */
void reread_refuse(struct reread_report *report);
