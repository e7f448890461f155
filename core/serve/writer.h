/* writer: lines for one descriptor that many threads produce, written by a thread of its own.
 * Created and destroyed by the main thread, which it never keeps waiting; any thread may append. A
 * descriptor that nobody reads delays the others as long as ready_to_write does: what cannot be
 * written by then is dropped, and its lines are counted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"

enum {
    WRITER_PENDING_MOST_BYTES = 4 * 1024 * 1024, /* then who appends waits */
    WRITER_MAIN_MOST_BYTES = 256 * 1024 * 1024,  /* then what the main thread appends is dropped */
};

struct writer;

/* Starts a writer. prefix (borrowed, may be NULL) is put in front of each write, which always ends
 * with whole appended texts. fd is borrowed. NULL with a message if no thread can be started. */
struct writer *writer_create(int fd, const char *prefix, struct error *error);

/* Adds whole lines, which are copied. Blocks while WRITER_PENDING_MOST_BYTES are waiting to be
 * written, but not on the main thread. Once a write has failed it does nothing. Any thread, no lock
 * held. */
void writer_append(struct writer *writer, const char *text, size_t length);

/* Writes the rest, ends the thread, clears the pointer; accepts NULL. Blocks as long as the
 * descriptor does, at most until ready_gives_up_ns. False if a write failed or lines were dropped,
 * then with the reason in *error. */
bool writer_destroy(struct writer **writer, struct error *error);
