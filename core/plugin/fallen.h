/* fallen: which builds of plugins are being started, and in the start of which ones hosts have
 * died: memory that a monitor makes and keeps, and each of its hosts maps. A host says by a plain
 * store that a start begins and that it is over, so whatever ends it meanwhile (a crash on any
 * thread, exit, SIGKILL) has left the word there, and the monitor counts. It is no file: power that
 * fails blames nobody, and a daemon that is started anew tries all of them again.
 *
 * The host writes while it lives, on its loader thread; the monitor while none lives. Code of a
 * plugin may have written anything into it: texts and counts are bounded when they are read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    FALLEN_DEATHS_MOST = 2,   /* in a row; a build with so many is not started any more */
    FALLEN_BUILDS_MOST = 256, /* what begins beyond that goes unrecorded */
    FALLEN_BUILD_BYTES = 160,
    FALLEN_CAUSE_BYTES = 48,
};

struct fallen;

/* Makes the memory, which is empty: a descriptor that is not inherited, or -1 with errno. */
int fallen_make(void);

/* Maps it; NULL if the descriptor has no such memory. The descriptor may be closed then. */
struct fallen *fallen_map(int fd);

/* Ends that; clears the pointer; accepts NULL. */
void fallen_unmap(struct fallen **fallen);

/* ---- the host ---- */

/* Says that the start of a build begins. */
void fallen_begin(struct fallen *fallen, const char *build);

/* Says that it is over, whatever it has come to: the host lives, so the build is forgotten. */
void fallen_end(struct fallen *fallen, const char *build);

/* Returns how many hosts in a row have died in a build's start, FALLEN_DEATHS_MOST at most, and in
 * cause what the last one died of. */
uint32_t fallen_deaths(struct fallen *fallen, const char *build, char cause[FALLEN_CAUSE_BYTES]);

/* ---- the monitor ---- */

/* Returns whether the last host has left while a start was in hand. */
bool fallen_is_starting(const struct fallen *fallen);

/* Counts a death of the host against all builds whose start was in hand. */
void fallen_count(struct fallen *fallen, const char *cause);
