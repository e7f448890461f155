/* sqlite_check_lines: the part of store_check that no SQL can do: whether the lines of
 * store_sqlite, in which its ended tasks are kept in order, name what `ended` has. One thread,
 * inside a transaction of the caller's. False: SQLite has failed. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

/* Sets *is_right. */
bool sqlite_lines_check(sqlite3 *db, bool *is_right);

/* Writes the lines anew from `ended`, and the counts of what is kept. */
bool sqlite_lines_mend(sqlite3 *db);
