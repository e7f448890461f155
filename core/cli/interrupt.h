/* interrupt: SIGINT and SIGTERM as something to be waited for, for commands that watch. Opened by
 * the main thread while it is the only one. */
#pragma once

#include <stdint.h>

/* Blocks both and returns a descriptor that can be read once one has come; -1 if the system
 * refuses: then they end the program as ever. */
int interrupt_open(void);

/* Returns the exit code for the one that has come: EXIT_INTERRUPTED or EXIT_TERMINATED; 0: none. */
int interrupt_code(int fd);

/* Waits that long, or until one comes; returns its exit code, or 0. */
int interrupt_wait(int fd, int64_t span_ns);
