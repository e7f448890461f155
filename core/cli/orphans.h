/* orphans: processes that a dead host has left behind, in whichever session: they come to a process
 * that has said before that it adopts them. Main thread of the monitor, which has no others. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

enum { ORPHANS_SPARED_MOST = 64 };

/* Children from before: of the program in whose place this one was executed. */
struct orphans {
    pid_t spared[ORPHANS_SPARED_MOST];
    size_t spared_count;
};

/* Adopts whatever descendants lose their parents from now on; the children that are there are
 * spared. */
void orphans_adopt(struct orphans *orphans);

/* Sends SIGKILL to every child but the spared ones and returns how many there were; those that they
 * leave in turn come later, so again until it returns 0. What has ended is to be waited for
 * before. Reads /proc: milliseconds. */
size_t orphans_kill(const struct orphans *orphans);
