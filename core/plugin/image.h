/* image: an ELF file that wants to become code of this process, looked at before any of it runs.
 * Stateless; used by whoever finds or loads plugins, one thread at a time. */
#pragma once

#include <stdbool.h>

#include "plugin/note.h"
#include "support/error.h"

/* Checks everything of an open file that can be known without running it (a shared object for
 * this machine, whole, without executable stack, writable code or text relocations, linked to
 * system libraries alone) and reads its note. False with the reason of refusal; where the note
 * could be read all the same, note holds it, else it is empty; note_fini either way. Reads by
 * pread: a file that shrinks meanwhile is an error, never a signal. */
bool image_check(int fd, struct note *note, struct error *error);
