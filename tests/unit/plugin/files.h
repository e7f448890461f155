/* files: a folder of its own for a test, and what it needs to be filled. Single-threaded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { FILES_PATH_BYTES = 512 };

/* Makes a new empty folder and returns its path, which lives until the next call. */
const char *files_folder(void);

/* Removes the folder with all that is in it. */
void files_remove(void);

/* Returns the path of a name in the folder; good for the next eight calls. */
const char *files_path(const char *name);

/* Writes a file of the folder. */
void files_write(const char *name, const void *bytes, size_t length);

/* Copies the file into the folder under a name. */
void files_copy(const char *from, const char *name);

/* Counts what is in a folder, at any depth, that is no folder and whose name ends with the tail. */
int files_count(const char *folder, const char *tail);

/* Copies the file into the folder under a name, in one step as an install does it, with each
 * "1.000" in it made another version of five bytes. */
void files_install(const char *from, const char *name, const char *version);
