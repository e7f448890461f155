/* sqlite_log: the logs of tasks in store_sqlite: of each its end, at most log_max_bytes and one
 * byte more, which tells whether a line begins behind it. The ledger's thread; showing: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"

struct sqlite_writer;

/* A log to which the transaction adds. */
struct sqlite_log {
    int64_t place;
    int64_t written; /* bytes, so far, also those that are not kept */
    struct buffer text;
};

enum { SQLITE_LOGS_OPEN = 8 };

/* What is added to a log is gathered and written once: a row is written as a whole, and a task that
 * prints without end comes with hundreds of pieces in a transaction. */
struct sqlite_logs {
    struct sqlite_log open[SQLITE_LOGS_OPEN];
    size_t count;
};

/* Adds text to the log of a task; false if SQLite fails. */
bool sqlite_log_append(struct sqlite_writer *writer, int64_t place, const char *text,
                       size_t length);

/* Writes what was gathered; false if SQLite fails. Before the rows of logs are looked at or
 * deleted. */
bool sqlite_logs_flush(struct sqlite_writer *writer);

/* Forgets what was gathered. */
void sqlite_logs_drop(struct sqlite_logs *logs);

/* Returns how many bytes the log of a task takes, or will. */
uint64_t sqlite_log_bytes(struct sqlite_writer *writer, int64_t place);

/* Returns how much of the end of a log is shown: most bytes, or less from the next start of a
 * line. */
size_t sqlite_log_shown(const char *text, size_t length, size_t most);
