/* sqlite_gather: how SQLite writes its write-ahead log. By itself it has two system calls for each
 * page, an eighth of what a small commit costs the processor; with this one for all of them, when
 * the log is synced, which a commit with synchronous = FULL does, or before anybody reads it. What
 * others may see of the log is what its index says, which SQLite brings up to date after the sync:
 * nobody looks for what is still gathered. */
#pragma once

#include <sqlite3.h>

/* Returns the name under which it is to be opened; NULL if there is no memory for it. It lies over
 * SQLite's default at the time of the first call. Any thread. */
const char *sqlite_gather_vfs(void);

/* Forgets what is gathered for a connection's log, after a rollback: by now somebody else may have
 * written at that place. */
void sqlite_gather_drop(sqlite3 *db);
