/* monitor: the process that the user has started, with the daemon's host under it. It starts the
 * host, this program once more with the same arguments, and when that dies of a signal kills what
 * it has left behind and starts the next. It holds the socket that clients connect to, so that they
 * wait meanwhile, hands on SIGHUP, SIGTERM and SIGINT, and knows nothing else: it reads no
 * configuration. Main thread, which has no others.
 *
 * Who ends whom:
 * - A host that leaves by itself takes the monitor with it, with its exit code; but one that serves
 *   and was not asked to stop, or that is starting a plugin, was left by a plugin's exit(), which
 *   is a death. Deaths in the start of a plugin it counts (plugin/fallen.h).
 * - A host that dies although it was asked to stop is not started again: the exit code is 128 + its
 *   signal.
 * - The monitor's death is the host's, by SIGKILL of the system (PR_SET_PDEATHSIG): whoever kills
 *   one process by force has killed the daemon. Who starts then waits for such a host to be gone
 *   (listener.h, sqlite_file.h). */
#pragma once

#include <stdbool.h>

/* Makes this process the monitor until its host has ended for good; returns the exit code. */
int monitor_run(void);

/* Returns whether a process of this name (argv[0]) is the host of a monitor: not a role (roles.h),
 * since it has the arguments of the user. */
bool monitor_names_host(const char *program);

/* Runs the command as the host; returns the exit code. */
int monitor_host(int argc, char **argv);
