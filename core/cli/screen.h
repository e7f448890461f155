/* screen: a text on the terminal of standard output that is drawn again and again in one place.
 * Stateless; main thread. */
#pragma once

#include <stddef.h>

/* Draws a text from the top of the screen, cut to its size as it is now, whatever it was before:
 * nothing flickers, wraps or stays behind. Flushes standard output. */
void screen_draw(const char *text, size_t length);

/* Leaves what was drawn on the screen, and the cursor below. */
void screen_end(void);
