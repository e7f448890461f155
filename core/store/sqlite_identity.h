/* sqlite_identity: which files the paths of a database named when it was opened. SQLite goes on
 * writing to files that were removed or replaced meanwhile, and what it writes there nobody finds
 * again. Embedded in the writer; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SQLITE_FILES = 3 }; /* the database, its log, the index of that */

struct sqlite_identity {
    struct {
        dev_t device;
        ino_t inode;
    } files[SQLITE_FILES];
};

/* Notes the files of an open database; those that are not there count as such. */
void sqlite_identity_note(struct sqlite_identity *identity, const char *path);

/* Returns what the name of the first file ends in that is another one now, or is gone. NULL: all
 * are what they were. */
const char *sqlite_identity_lost(const struct sqlite_identity *identity, const char *path);
