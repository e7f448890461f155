/* sqlite_write: the ledger's hands: its connection, its statements, and the transaction it is in,
 * with the jobs that it touches as they are now and as they were committed. The ledger's thread
 * alone. A false answer means that SQLite has failed and the transaction is to be undone; what
 * failed is what sqlite3_errmsg says. */
#pragma once

#include "store/sqlite_identity.h"
#include "store/sqlite_index.h"
#include "store/sqlite_line.h"
#include "store/sqlite_log.h"
#include "store/sqlite_place.h"
#include "store/sqlite_queue.h"
#include "store/sqlite_record.h"

enum sqlite_statement {
#define STATEMENT(name, sql) SQLITE_##name##_STATEMENT,
#include "store/sqlite_statements.def"
#undef STATEMENT
    SQLITE_JOB_INSERT_STATEMENT,
    SQLITE_JOB_UPDATE_STATEMENT,
    SQLITE_JOB_SELECT_STATEMENT,
    SQLITE_META_UPDATE_STATEMENT,
    SQLITE_META_REWRITE_STATEMENT,
    SQLITE_STATEMENT_COUNT,
};

enum { SQLITE_LOADED_BUCKETS = 256 };

struct sqlite_writer {
    struct sqlite *sqlite;
    sqlite3 *db;
    sqlite3_stmt *statements[SQLITE_STATEMENT_COUNT];
    struct store_options limits;
    struct sqlite_meta meta, durable; /* now and as committed */
    uint64_t dropped[SQLITE_CLASS_COUNT], durable_dropped[SQLITE_CLASS_COUNT];
    struct sqlite_row *touched;
    struct sqlite_row *loaded[SQLITE_LOADED_BUCKETS];
    struct sqlite_row *in_hand; /* loaded, or in the index; NULL: none */
    struct sqlite_line_hand lines[SQLITE_CLASS_COUNT];
    uint64_t written; /* records of the queue that are in the file after this transaction */
    struct buffer scratch;
    struct sqlite_logs logs;
    struct sqlite_reader *reader; /* over the same connection */
    bool has_more;                /* there is more to trim or to sweep */
    bool has_said;                /* the transaction has something to write of its own */
    bool was_undone;              /* the one before it was undone */
    struct sqlite_identity identity;
    char lost[128]; /* why the file is not ours any more; "": it is */
};

/* Makes one over a connection, which is its own from here on; NULL with a message. */
struct sqlite_writer *sqlite_writer_create(struct sqlite *sqlite, sqlite3 *db, struct error *error);

/* Closes the connection, and frees it; clears the pointer; accepts NULL. */
void sqlite_writer_destroy(struct sqlite_writer **writer);

/* Begins a transaction. */
bool sqlite_writer_begin(struct sqlite_writer *writer);

/* Writes down what one record says. */
bool sqlite_writer_apply(struct sqlite_writer *writer, const struct sqlite_record *record);

/* Brings the transaction to its end: limits, jobs, counts; commits. */
bool sqlite_writer_commit(struct sqlite_writer *writer);

/* Undoes the transaction. */
void sqlite_writer_undo(struct sqlite_writer *writer);

/* Does so after what has failed last, also in the file. If that was the sync, all of the
 * transaction is in the write-ahead log, and whoever opens the file next would find it whole: an
 * empty one is written in its place, if the disk takes that. */
void sqlite_writer_take_back(struct sqlite_writer *writer);

/* Sets error from what has failed; returns false. */
bool sqlite_writer_failed(const struct sqlite_writer *writer, struct error *error);

/* The rest is for the other files of the writer. */

/* Runs a statement that gives no rows after its numbers are bound: from ?1 on. */
bool sqlite_run(struct sqlite_writer *writer, enum sqlite_statement name, size_t count,
                const int64_t *numbers);
#define SQLITE_RUN(writer, name, ...)                                                              \
    sqlite_run(writer, SQLITE_##name##_STATEMENT,                                                  \
               sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (const int64_t[]){__VA_ARGS__})

/* Steps a statement whose values are bound, in a transaction, and resets it; false unless it is
 * done. */
bool sqlite_finish(sqlite3_stmt *statement);

/* Steps a statement whose values are bound, takes the number and the bytes in the first two columns
 * of its first row, the bytes into writer->scratch, and resets it. Without a row both are empty. */
bool sqlite_take(struct sqlite_writer *writer, sqlite3_stmt *statement, int64_t *number);

/* Finds a job by its key, in the index or the file; *row is NULL if there is none. */
bool sqlite_row_get(struct sqlite_writer *writer, uint64_t key, struct sqlite_row **row);

/* Says that a job changes in this transaction; before it does. */
void sqlite_row_touch(struct sqlite_writer *writer, struct sqlite_row *row);

/* Writes a job that was touched. */
bool sqlite_row_write(struct sqlite_writer *writer, struct sqlite_row *row);

/* Writes the jobs that were touched. */
bool sqlite_rows_write(struct sqlite_writer *writer);

/* Makes what the jobs are now what is committed, and takes those out of the index of which nothing
 * is left to be said: they are over, and no record that is not written names them. */
void sqlite_rows_committed(struct sqlite_writer *writer);

/* Puts a row that is to last in the place of one that was read and is not touched yet. */
void sqlite_row_replace(struct sqlite_writer *writer, struct sqlite_row *read,
                        struct sqlite_row *lasting);

/* Makes the jobs what they were. */
void sqlite_rows_undone(struct sqlite_writer *writer);

/* To be called when a job may be over, or has lost what was kept of it: keeps it, or has it go. */
void sqlite_row_settle(struct sqlite_writer *writer, struct sqlite_row *row);

/* Keeps a job no longer for being over. */
void sqlite_row_unkeep(struct sqlite_writer *writer, struct sqlite_row *row);

/* Has the first job that a statement whose values are bound finds by its key no longer be kept for
 * being over; *found says whether there was one. */
bool sqlite_row_unkeep_first(struct sqlite_writer *writer, sqlite3_stmt *select, bool *found);

/* Hides or deletes what is over the limits, a slice of it. */
bool sqlite_trim(struct sqlite_writer *writer);

/* Deletes a slice of what is gone. */
bool sqlite_sweep(struct sqlite_writer *writer);

/* Deletes all rows of tasks from one place to another, but for the job's. */
bool sqlite_delete_range(struct sqlite_writer *writer, uint8_t extras, int64_t first, int64_t last);

/* Puts all attempts of a row of ENDED_SELECT into writer->scratch. */
void sqlite_attempts_of_ended(struct sqlite_writer *writer, sqlite3_stmt *row);

/* Makes a task one that waits for an attempt at once, with the attempts in writer->scratch. */
bool sqlite_pending_write(struct sqlite_writer *writer, int64_t place, uint32_t attempt);

/* Returns the class of a final state. */
static inline enum sqlite_class sqlite_class_of(enum store_state state)
{
    return (STORE_DEAD_SET & STORE_SET(state)) != 0 ? SQLITE_DEAD : SQLITE_FINISHED;
}
