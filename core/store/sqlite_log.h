/* sqlite_log: the logs of tasks in store_sqlite: of each its end, at most log_max_bytes and one
 * byte more, which tells whether a line begins behind it. The ledger's thread; showing: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite_writer;

/* Adds text to the log of a task; false if SQLite fails. */
bool sqlite_log_append(struct sqlite_writer *writer, int64_t place, const char *text,
                       size_t length);

/* Returns how many bytes the log of a task takes. */
uint64_t sqlite_log_bytes(struct sqlite_writer *writer, int64_t place);

/* Returns how much of the end of a log is shown: most bytes, or less from the next start of a
 * line. */
size_t sqlite_log_shown(const char *text, size_t length, size_t most);
