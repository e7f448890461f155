/* stray: threads that a plugin has started and left running (rule R3), looked for before its code
 * is unmapped under them. Used by the loader thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The threads that are not the host's and were there before a plugin was mapped: none of them is
 * that plugin's. Owns ids. */
struct stray_elders {
    pid_t *ids;
    size_t count;
};

/* Writes down who is there now. */
void stray_elders_init(struct stray_elders *elders);

/* Frees it; zeroed memory is fine. */
void stray_elders_fini(struct stray_elders *elders);

/* Says whether a thread that is neither the host's nor an elder may be inside the mapped image of
 * the path: its stack names a place in it, or it never rests, so that its stack cannot be read. A
 * thread that a library has started for the plugin is not seen. May take 50 ms. */
bool stray_is_in(const char *path, const struct stray_elders *elders);
