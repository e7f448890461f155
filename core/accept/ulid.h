/* ulid: the name that a job gets: 48 bits of milliseconds and 80 random bits as 26 letters of
 * Crockford's base 32, github.com/ulid/spec. Any thread. */
#pragma once

enum { ULID_BYTES = 27 }; /* with the NUL */

/* Writes a new one. Aborts if the kernel has no random bytes. */
void ulid_make(char text[ULID_BYTES]);
