/* process: what the system tells about a process by its id (/proc). Stateless; any thread; reads a
 * file. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct process {
    pid_t parent;
    bool is_zombie; /* its first thread is over, and nobody has asked how it ended */
};

/* Looks at one; false if there is none. */
bool process_look(pid_t pid, struct process *process);

/* Returns whether there is none, or it has ended and waits for its parent to notice. */
bool process_is_over(pid_t pid);
