/* sqlite_reader: the inside of a reader of store_sqlite: a task as it stands in the file, put
 * together of its chunk and its rows. For sqlite_query.c and what walks (sqlite_walk.c). One thread
 * at a time. */
#pragma once

#include "store/memory_ids.h"
#include "store/sqlite_file.h"
#include "store/sqlite_query.h"
#include "store/sqlite_record.h"

enum sqlite_read {
#define READ(name, sql) SQLITE_READ_##name,
#include "store/sqlite_reads.def"
#undef READ
    SQLITE_READ_COUNT,
};

struct sqlite_reader {
    struct sqlite_reader *next; /* of those that nobody uses */
    const struct sqlite *sqlite;
    sqlite3 *db;
    bool owns_db;
    sqlite3_stmt *statements[SQLITE_READ_COUNT];
    /* the chunk at hand; its bytes are a copy */
    struct buffer chunk;
    int64_t chunk_place; /* of its first task; -1: there is none */
    uint32_t chunk_count;
    uint32_t chunk_next; /* the task that `at` is in front of */
    struct sqlite_record_reader at;
    /* the task at hand */
    struct sqlite_record_task record;
    struct store_attempt attempts[STORE_ATTEMPTS_MOST];
    /* the job at hand; its texts are those of a statement that stands on its row */
    struct store_job job;
    struct sqlite_facts facts;
    uint64_t floors[SQLITE_CLASS_COUNT];
    /* the ids of the job that was asked for one last; its key, 0: none */
    struct memory_ids ids;
    uint64_t ids_key;
};

/* Binds numbers from ?1 on and resets the statement. */
void sqlite_read_bind(sqlite3_stmt *statement, size_t count, const int64_t *numbers);
#define SQLITE_READ_BIND(reader, name, ...)                                                        \
    sqlite_read_bind((reader)->statements[SQLITE_READ_##name],                                     \
                     sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t),                           \
                     (const int64_t[]){__VA_ARGS__})

/* Resets all statements, so that nothing is held. */
void sqlite_read_reset(struct sqlite_reader *reader);

/* Makes the row on which a statement stands the job at hand. */
void sqlite_read_job(struct sqlite_reader *reader, sqlite3_stmt *row);

/* Makes the job with a key the one at hand; false if there is none. */
bool sqlite_read_job_find(struct sqlite_reader *reader, uint64_t key);

/* Has the chunk with a place at hand; false if there is none. */
bool sqlite_read_chunk(struct sqlite_reader *reader, int64_t place);

/* Fills in the task of the job at hand with a place: what its chunk says and the log, as if it had
 * not started. False if no chunk has it. */
bool sqlite_read_task(struct sqlite_reader *reader, int64_t place, struct store_task *task);

/* Has the ids of all tasks of the job at hand in reader->ids. */
void sqlite_read_ids(struct sqlite_reader *reader);

/* Adds what a row of `ended`, or of `pending`, says. */
void sqlite_read_ended(struct sqlite_reader *reader, sqlite3_stmt *row, struct store_task *task);
/* As above. */
void sqlite_read_pending(struct sqlite_reader *reader, sqlite3_stmt *row, struct store_task *task);

/* Says whether others may see the task of a row of `ended`. */
bool sqlite_read_is_kept(const struct sqlite_reader *reader, sqlite3_stmt *row);

/* Reads which ended tasks others may see. */
bool sqlite_read_floors(struct sqlite_reader *reader);

/* Visits the tasks of a query, inside a transaction of the caller's (sqlite_walk.c). */
bool sqlite_read_tasks(struct sqlite_reader *reader, const struct store_query *query,
                       store_visit_task *visit, void *context, struct error *error);
