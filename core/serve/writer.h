/* writer: text for one descriptor that many threads produce, written by a thread of its own in
 * large writes. Created and destroyed by the main thread; any thread may append. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "support/error.h"

enum { WRITER_PENDING_MOST_BYTES = 4 * 1024 * 1024 };

struct writer;

/* Starts a writer. prefix (borrowed, may be NULL) is put in front of each write, which always ends
 * with whole appended texts. fd is borrowed. NULL with a message if no thread can be started. */
struct writer *writer_create(int fd, const char *prefix, struct error *error);

/* Adds a text, which is copied. Blocks while WRITER_PENDING_MOST_BYTES are waiting to be written.
 * Once a write has failed it does nothing. Any thread, no lock held. */
void writer_append(struct writer *writer, const char *text, size_t length);

/* Writes the rest, ends the thread, clears the pointer; accepts NULL. False if a write failed, then
 * with the system's reason in *error. */
bool writer_destroy(struct writer **writer, struct error *error);
