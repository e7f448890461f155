/* roles: what the program does where it has started itself. */
#pragma once

#include <stdbool.h>

/* If argv[0] names a role, plays it and puts the exit code into *code; else false. Main thread,
 * before anything else. */
bool roles_run(int argc, char **argv, int *code);
