/* starter: the folder that a new plugin begins with, made from the template beside the program.
 * Stateless; main thread. */
#pragma once

#include <stdbool.h>

#include "support/buffer.h"
#include "support/error.h"

/* Makes a folder of the plugin's name (which is valid) in the current one, and adds the names of
 * the files in it to files, one a line. False with a message: it is there already (code "exists"),
 * or it cannot be made, and then nothing is left of it. */
bool starter_make(const char *name, struct buffer *files, struct error *error);
