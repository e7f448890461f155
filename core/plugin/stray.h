/* stray: threads that a plugin has started and left running (rule R3), looked for before its code
 * is unmapped under them. Stateless, used by the loader thread. */
#pragma once

#include <stdbool.h>

/* Says whether a thread that is not the host's may be inside the mapped image of the path: its
 * stack names a place in it, or it never rests, so that its stack cannot be read. A thread that a
 * library has started for the plugin is not seen. May take 50 ms. */
bool stray_is_in(const char *path);
