#include "store/sqlite_write.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite.h"
#include "store/sqlite_gather.h"
#include "support/memory.h"

static const char *const statement_texts[SQLITE_STATEMENT_COUNT] = {
#define STATEMENT(name, sql) [SQLITE_##name##_STATEMENT] = sql,
#include "store/sqlite_statements.def"
#undef STATEMENT
    [SQLITE_JOB_INSERT_STATEMENT] =
        "INSERT INTO job(key, id, name, file, document, submitted, max_weight, fail_fast, origin"
#define FACT(column, member) ", " #column
#include "store/sqlite_facts.def"
#undef FACT
        ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?"
#define FACT(column, member) ", ?"
#include "store/sqlite_facts.def"
#undef FACT
        ")",
    [SQLITE_JOB_UPDATE_STATEMENT] = "UPDATE job SET fail_fast = fail_fast"
#define FACT(column, member) ", " #column " = ?"
#include "store/sqlite_facts.def"
#undef FACT
                                    " WHERE key = ?",
    [SQLITE_JOB_SELECT_STATEMENT] = "SELECT key"
#define FACT(column, member) ", " #column
#include "store/sqlite_facts.def"
#undef FACT
                                    " FROM job WHERE key = ?1",
#define META(column, member) ", " #column " = ?"
    [SQLITE_META_UPDATE_STATEMENT] = "UPDATE meta SET epoch = epoch"
#include "store/sqlite_meta.def"
                                     " WHERE id = 1 AND epoch = ?",
    [SQLITE_META_REWRITE_STATEMENT] = "UPDATE meta SET id = 1"
#include "store/sqlite_meta.def"
                                      " WHERE epoch = ?",
#undef META
};

static bool prepare(struct sqlite_writer *writer, struct error *error)
{
    for (int i = 0; i < SQLITE_STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(writer->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &writer->statements[i], NULL) != SQLITE_OK)
            return sqlite_writer_failed(writer, error);
    return true;
}

struct sqlite_writer *sqlite_writer_create(struct sqlite *sqlite, sqlite3 *db, struct error *error)
{
    struct sqlite_writer *writer = memory_grow(NULL, 1, sizeof(*writer));

    *writer = (struct sqlite_writer){.sqlite = sqlite, .db = db, .limits = sqlite->store.options};
    writer->reader = sqlite_reader_create(sqlite, db, error);
    if (writer->reader == NULL || !prepare(writer, error) ||
        !sqlite_meta_read(db, &writer->meta, error))
        sqlite_writer_destroy(&writer);
    else
        writer->durable = writer->meta;
    if (writer != NULL)
        sqlite_identity_note(&writer->identity, sqlite->path);
    return writer;
}

void sqlite_writer_destroy(struct sqlite_writer **place)
{
    struct sqlite_writer *writer = *place;

    *place = NULL;
    if (writer == NULL)
        return;
    sqlite_reader_destroy(&writer->reader);
    for (int i = 0; i < SQLITE_STATEMENT_COUNT; i++)
        sqlite3_finalize(writer->statements[i]);
    for (int i = 0; i < SQLITE_CLASS_COUNT; i++)
        sqlite_line_fini(&writer->lines[i]);
    sqlite_logs_drop(&writer->logs);
    buffer_fini(&writer->scratch);
    sqlite3_close(writer->db);
    free(writer);
}

bool sqlite_writer_failed(const struct sqlite_writer *writer, struct error *error)
{
    const char *path = writer->sqlite->path;

    if (writer->lost[0] != '\0')
        return error_set(error, "store_lost", "%s: cannot write: %s", path, writer->lost);
    if (sqlite3_errcode(writer->db) == SQLITE_OK && sqlite3_get_autocommit(writer->db))
        return error_set(error, "store_failed", "%s: cannot write: the transaction was undone",
                         path);
    return sqlite_file_failed(writer->db, path, "cannot write", error);
}

bool sqlite_finish(sqlite3_stmt *statement)
{
    /* A read that fails may undo the transaction: what follows would be one of its own each. */
    if (sqlite3_get_autocommit(sqlite3_db_handle(statement)))
        return false;
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return done;
}

bool sqlite_take(struct sqlite_writer *writer, sqlite3_stmt *statement, int64_t *number)
{
    int code = sqlite3_step(statement);

    *number = 0;
    writer->scratch.length = 0;
    if (code == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
        buffer_append(&writer->scratch, sqlite3_column_blob(statement, 1),
                      (size_t)sqlite3_column_bytes(statement, 1));
    }
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

bool sqlite_run(struct sqlite_writer *writer, enum sqlite_statement name, size_t count,
                const int64_t *numbers)
{
    sqlite3_stmt *statement = writer->statements[name];

    for (size_t i = 0; i < count; i++)
        sqlite3_bind_int64(statement, (int)i + 1, numbers[i]);
    return sqlite_finish(statement);
}

bool sqlite_writer_begin(struct sqlite_writer *writer)
{
    writer->has_more = false;
    writer->has_said = false;
    writer->lost[0] = '\0';
    mutex_lock(&writer->sqlite->lock);
    writer->limits.finished_max = writer->sqlite->store.options.finished_max;
    mutex_unlock(&writer->sqlite->lock);
    sqlite3_stmt *begin = writer->statements[SQLITE_BEGIN_STATEMENT];
    bool right = sqlite3_step(begin) == SQLITE_DONE;
    sqlite3_reset(begin);
    return right;
}

/* Whoever has taken the file since, for its lock was removed, has begun a new epoch. SQLite does
 * not write what is as it was, unless the row is given a key: so a transaction that has nothing to
 * say is one in the log too, and a proof that the disk works. */
static bool write_meta(struct sqlite_writer *writer)
{
    bool rewrites = !writer->has_said || writer->was_undone;
    sqlite3_stmt *update =
        writer->statements[rewrites ? SQLITE_META_REWRITE_STATEMENT : SQLITE_META_UPDATE_STATEMENT];
    int at = 1;

#define META(column, member) sqlite3_bind_int64(update, at++, (int64_t)writer->meta.member);
#include "store/sqlite_meta.def"
#undef META
    sqlite3_bind_int64(update, at, (int64_t)writer->meta.epoch);
    if (!sqlite_finish(update))
        return false;
    if (sqlite3_changes(writer->db) == 0)
        snprintf(writer->lost, sizeof(writer->lost),
                 "another process has taken it over since; this one is to be stopped");
    return writer->lost[0] == '\0';
}

/* What is written to a file that nobody finds again is not durable. */
static bool is_in_place(struct sqlite_writer *writer)
{
    const char *ending = sqlite_identity_lost(&writer->identity, writer->sqlite->path);

    if (ending != NULL)
        snprintf(writer->lost, sizeof(writer->lost), "%s was removed or replaced while it was open",
                 ending[0] == '\0' ? "the file" : ending);
    return ending == NULL;
}

bool sqlite_writer_commit(struct sqlite_writer *writer)
{
    if (!sqlite_logs_flush(writer) || !sqlite_lines_flush(writer) || !sqlite_rows_write(writer) ||
        !sqlite_trim(writer) || !sqlite_rows_write(writer) || !sqlite_sweep(writer) ||
        !sqlite_lines_flush(writer) || !write_meta(writer) || !is_in_place(writer) ||
        !sqlite_run(writer, SQLITE_COMMIT_STATEMENT, 0, NULL))
        return false;
    writer->was_undone = false;
    writer->durable = writer->meta;
    memcpy(writer->durable_dropped, writer->dropped, sizeof(writer->dropped));
    sqlite_rows_committed(writer);
    return true;
}

void sqlite_writer_undo(struct sqlite_writer *writer)
{
    if (!sqlite3_get_autocommit(writer->db))
        sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
    sqlite_gather_drop(writer->db);
    writer->was_undone = true;
    sqlite_logs_drop(&writer->logs);
    writer->meta = writer->durable;
    memcpy(writer->dropped, writer->durable_dropped, sizeof(writer->dropped));
    for (int i = 0; i < SQLITE_CLASS_COUNT; i++)
        sqlite_line_undo(&writer->lines[i]);
    sqlite_rows_undone(writer);
}

void sqlite_writer_take_back(struct sqlite_writer *writer)
{
    bool may_be_in_log = (sqlite3_errcode(writer->db) & 0xff) == SQLITE_IOERR;

    sqlite_writer_undo(writer);
    if (may_be_in_log && (!sqlite_writer_begin(writer) || !sqlite_writer_commit(writer)))
        sqlite_writer_undo(writer);
}
