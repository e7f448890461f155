/* child: a process of this very program in another role (cli/roles.def): started by posix_spawn of
 * /proc/self/exe, since a process with threads must not fork; in a session of its own and with a
 * mark in its environment, so that what it starts in turn is known, and nothing of it is left when
 * child_kill has returned. One owner; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "support/error.h"

enum { CHILD_FIRST_FD = 3, CHILD_FDS_MOST = 8 };

struct child_order {
    const char *role; /* a name of cli/roles.def */
    const char *name; /* for people who look at a list of processes */
    const int *fds;   /* are CHILD_FIRST_FD, + 1, ... in the child; all others are closed there */
    size_t fds_count; /* at most CHILD_FDS_MOST */
    int output_fd;    /* is 1 and 2 in the child; -1: those of the caller */
};

struct child {
    pid_t pid;     /* also of its session and its process group; 0: none */
    int pidfd;     /* readable when it has ended; it stays a zombie until child_reap. -1: none */
    uint64_t mark; /* what it starts in turn has it in its environment, as a name of its own */
};

#define CHILD_NONE ((struct child){.pidfd = -1})

/* How it has ended. */
struct child_end {
    int signal;          /* that ended it; 0: it left by itself */
    int exit_code;       /* then */
    uint64_t peak_bytes; /* at most so much memory was in use at once: the system counts what its
                            starter had in use before it */
};

/* Starts one; false with a message. Blocks for about a millisecond. Its 0 is /dev/null, its signal
 * mask is empty and no signal is ignored. */
bool child_start(struct child *child, const struct child_order *order, struct error *error);

/* Sends SIGKILL to every process of its session and to every other one that was started with its
 * mark, until none is left but itself as a zombie. Who has left the session and shows no mark any
 * more escapes: its environment was cleared for a new program, written over, or is not ours to
 * read. Before child_reap. Reads /proc: milliseconds. */
void child_kill(struct child *child);

/* Waits until it has ended by itself; false: it has not by deadline_ns. It has yet to be reaped. */
bool child_await(const struct child *child, int64_t deadline_ns);

/* Waits until it has ended (deadline_ns of the monotonic clock; CLOCK_NEVER_NS: for ever), says
 * how, and is done with it: *child is CHILD_NONE. False: it has not. */
bool child_reap(struct child *child, int64_t deadline_ns, struct child_end *end);

/* In the child, first of all: everything but 0, 1, 2 and the order's descriptors is closed, no
 * privileges can be gained any more, a core is not written, what it starts in turn inherits none
 * of the descriptors. Has it killed when the thread that has started it ends, which is why that
 * one should live until child_reap. That is only a backstop for a parent that dies: who was dead
 * before is noticed by the end of file on a descriptor. */
void child_settle(size_t fds_count);
