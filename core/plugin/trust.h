/* trust: whether code in a file may run in this process: nobody but root, the user who runs it, and
 * the owner of the program itself could have put it there. Stateless; used while plugins are found
 * and loaded; any one thread at a time (it reads the user database). */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "support/error.h"

/* Opens a folder for reading, O_CLOEXEC, after a look at every component of its resolved path:
 * owned by one of those three, not writable by others unless sticky, nor by a group that has
 * members besides the owner. -1 with a message that names the component and the chmod that mends it
 * (code "unsafe"), or says why the folder cannot be opened (code "unreadable"). May block on a
 * slow file system. The caller closes the descriptor. */
int trust_open_folder(const char *path, struct error *error);

/* Says the same of one open file by its fstat; path is for the message. */
bool trust_check_file(const struct stat *stat, const char *path, struct error *error);
