/* sqlite_file: the file of store_sqlite: who may open it, its schema, its connections. Opening and
 * closing: one thread; a connection: one thread at a time. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/stored.h"
#include "support/error.h"

/* A new one needs a migration, and a store of its own: tests/unit/store/schema_N.sql. */
enum { SQLITE_SCHEMA_VERSION = 1 };

enum sqlite_class { SQLITE_FINISHED, SQLITE_DEAD, SQLITE_CLASS_COUNT };

/* Records that are kept, in the order they ended: those from floor up to next, but void ones. */
struct sqlite_line {
    uint64_t next, floor;
    uint64_t count, bytes;
};

/* The one row of `meta`. */
struct sqlite_meta {
    uint64_t epoch;
    uint64_t next_key; /* of the next job */
    uint64_t jobs;
    uint64_t over_next,
        over_count; /* jobs kept for being over: the next one's over_seq, how many */
    uint64_t delayed;
    struct sqlite_line lines[SQLITE_CLASS_COUNT];
    uint64_t held[STORE_STATE_COUNT];
};

/* What changes of a job. */
struct sqlite_facts {
    uint32_t tasks_count;
    bool sealed, stopped;
    bool over;
    bool sparse;       /* it was over once: unfinished are those with a row in `pending` */
    uint8_t extras;    /* in which tables it has rows, see sqlite_extras */
    uint32_t kept;     /* ended tasks that others may see */
    uint64_t over_seq; /* 0: it is not kept for being over */
    int64_t last_end_wall_ns;
    uint64_t chunk_bytes;
    uint32_t by_state[STORE_STATE_COUNT];
};

enum sqlite_extras {
    SQLITE_HAS_PENDING = 1,
    SQLITE_HAS_LOG = 2,
    SQLITE_HAS_DEAD = 4,
    SQLITE_HAS_DONE = 8,
    SQLITE_HAS_HIDDEN = 16, /* rows in `ended` that nobody is to see */
};

/* Takes the lock beside a file (PATH.lock) for this process; -1 with a message that names the
 * process that holds it. One that is dying, since the one it ends with (watched_by, 0: none) has
 * gone, is waited for. The folder is made if it is not there. Closing the descriptor gives it
 * back. */
int sqlite_file_lock(const char *path, int watched_by, struct error *error);

/* Makes an empty file that is for its owner alone, if there is none: SQLite would let others read
 * it. Only before the first connection: closing the file lets go of the locks that SQLite has on
 * it in this process. */
bool sqlite_file_make(const char *path, struct error *error);

/* Opens a connection to a file that is there. NULL with a message. */
sqlite3 *sqlite_file_open(const char *path, struct error *error);

/* Makes or updates the schema over the first connection. */
bool sqlite_file_prepare(sqlite3 *db, const char *path, struct error *error);

/* Reads the row of `meta`. */
bool sqlite_meta_read(sqlite3 *db, struct sqlite_meta *meta, struct error *error);

/* Reads a job's facts from the columns of a row, beginning at one. */
void sqlite_facts_read(sqlite3_stmt *row, int column, struct sqlite_facts *facts);

/* Returns how many tasks a job can have that says so: a number that a damaged file made up is not
 * to reach into the places of other jobs. */
static inline uint32_t sqlite_tasks_believed(int64_t said)
{
    return said < 0 || said > STORE_TASKS_MOST ? STORE_TASKS_MOST : (uint32_t)said;
}

/* Reads the final state in a column: one that is none, in a damaged file, counts as failed. */
enum store_state sqlite_state_read(sqlite3_stmt *row, int column);

/* Sets error from what SQLite says; returns false. */
bool sqlite_file_failed(sqlite3 *db, const char *path, const char *what, struct error *error);

/* The columns of sqlite_facts.def, each with a comma in front. */
extern const char sqlite_fact_names[];
