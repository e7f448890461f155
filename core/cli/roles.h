/* roles: the table of what a process of this program is for that another one has started
 * (support/child.h): not a command, nothing for people. roles.def; the functions stand where their
 * work is done. Main thread. */
#pragma once

#include <stdbool.h>

/* Does the work of a role; name is the one of its order, only for people. What it needs are its
 * descriptors, from CHILD_FIRST_FD on, the first of them a socket; it calls child_settle first.
 * Returns the exit code. */
typedef int role_function(const char *name);

/* Says whether the program was started in a role, and then does its work: *code is the exit code.
 * One that somebody has started by hand, without the descriptors, ends with a message. Call first
 * of all. */
bool roles_run(int argc, char **argv, int *code);
