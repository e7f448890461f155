/* family: a child and all that it has started in turn: the processes of its session, and those that
 * have left it but still show its mark in their environment. Any thread; nothing shared. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum { FAMILY_MARK_BYTES = sizeof "SLUICE_CHILD_0123456789abcdef=1" };

/* Writes the mark as it stands in the environment: a name of its own rather than a value, so that a
 * child of a host that is itself below a child has the marks of both. */
void family_mark(uint64_t mark, char text[FAMILY_MARK_BYTES]);

/* Sends SIGKILL to all of the family, until none is left; a zombie is not. The session is the
 * number of the child, which has been killed and not been reaped: so nobody else has got it. Reads
 * /proc: milliseconds. Gives up, and logs that, after 10 s if somebody cannot be killed, and after
 * 2 s if it cannot be told whether somebody is one of them. */
void family_kill(pid_t session, uint64_t mark);
