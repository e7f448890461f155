/* child: one command in a process group of its own, from its start to its end.
 * Made on the stack of a call, used by the thread of that call only. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <sluice/plugin.h>

#include "capture.h"

/* What to start; everything is borrowed until child_start returns. */
struct child_plan {
    char *const *argv; /* NULL-terminated, at least one; searched in PATH if without '/' */
    char *const *env;  /* NULL-terminated */
    const char *cwd;   /* NULL: the host's */
    int input;         /* descriptor to read from */
};

struct child_stream {
    int from; /* our end */
    int to;   /* the child's, kept open here too: see child.c */
};

struct child {
    pid_t pid;
    int pidfd;
    struct child_stream out, err;
};

/* Starts the command: default signal mask and SIGPIPE, no descriptors but 0-2. Returns 0, or the
 * errno that says why not; then nothing is left behind. Blocks until the command runs. */
int child_start(struct child *child, const struct child_plan *plan);

/* Follows the child to its end and captures what it prints as it comes; once the call is cancelled
 * the whole group gets SIGTERM, and after a second SIGKILL. Returns true if it was ended so. */
bool child_follow(struct child *child, const struct sluice_call *call, struct capture *out,
                  struct capture *err);

/* Reaps the ended child, closes all descriptors, and returns its wait status. */
int child_finish(struct child *child);
