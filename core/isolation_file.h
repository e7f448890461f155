/* isolation_file: the text file in which convicted types stand, a line each, so that the next host
 * knows them. Stateless; blocks for the disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "isolation.h"
#include "plugin/fallen.h"
#include "support/buffer.h"
#include "support/error.h"

enum { ISOLATION_PLUGIN_BYTES = FALLEN_BUILD_BYTES };

/* One line; the texts have neither tabs nor line ends. */
struct isolation_line {
    char type[TYPE_NAME_MOST_BYTES + 1];
    char plugin[ISOLATION_PLUGIN_BYTES]; /* which build of it: see starts.h */
    struct isolation_facts facts;
};

/* Calls visit for each line; those that make no sense are left out, the first of them logged. No
 * file is no line; false with a message if it cannot be read, or cannot be one of ours. */
bool isolation_file_read(const char *path,
                         void (*visit)(void *context, const struct isolation_line *line),
                         void *context, struct error *error);

/* Adds a line to a text that isolation_file_replace writes. */
void isolation_file_add(struct buffer *text, const struct isolation_line *line);

/* Replaces the file by what was added, as a whole; removes it if that is nothing. False with a
 * message. */
bool isolation_file_replace(const char *path, const struct buffer *text, struct error *error);
