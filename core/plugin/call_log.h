/* call_log: what a call adds to the log of its task: lines that it logs, and what it prints as it
 * comes. Kept by call.keep_log, in which nobody finds a NUL; where that is NULL, nothing costs
 * anything. Any thread of the plugin, within the call. */
#pragma once

#include "plugin/call.h"
#include "support/log.h"

/* Adds a line with its time and level; it begins a line of its own. */
void call_log_line(struct call *call, enum log_level level, const char *text);

/* Adds length bytes as they are, but a NUL as '?'. */
void call_log_print(struct call *call, const char *bytes, size_t length);

/* Ends the line that was printed last, if it has no end. The worker's thread, at the call's end. */
void call_log_end(struct call *call);
