/* ending: answers signals while a run that is over says its last words, which somebody who does not
 * read may hold up. Created by the main thread; a thread of its own waits for the signals. */
#pragma once

#include "config.h"
#include "support/error.h"

struct ending;

/* Starts it; SIGINT, SIGTERM and SIGHUP are blocked. code is 0, or that of the signal that stopped
 * the run: then there is one second left (after ready_gives_up_ns), else it begins with a signal.
 * When it has passed, the process leaves by _exit. The configuration is borrowed. NULL with a
 * message if the system refuses. */
struct ending *ending_start(const struct config *config, int code, struct error *error);

/* Returns the exit code of the signal that has come; 0: none. Accepts NULL. */
int ending_code(const struct ending *ending);

/* Ends the thread, clears the pointer; accepts NULL. */
void ending_stop(struct ending **ending);
