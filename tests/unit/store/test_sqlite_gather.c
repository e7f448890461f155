/* How the write-ahead log is written, with two connections. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "state_folder.h"
#include "store/sqlite_gather.h"

TestSuite(sqlite_gather, .init = state_folder_make, .fini = state_folder_remove);

static void run(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    sqlite3_exec(db, sql, NULL, NULL, &message);
    cr_assert_null(message, "%s: %s", sql, message);
}

static sqlite3 *open_as(const char *vfs)
{
    sqlite3 *db;
    cr_assert_eq(sqlite3_open_v2(state_place, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
                 SQLITE_OK);
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    return db;
}

static void add(sqlite3 *db, int rows)
{
    for (int i = 0; i < rows; i++)
        run(db, "INSERT INTO t(b) VALUES(randomblob(3000))");
}

static int number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *row;
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_step(row), SQLITE_ROW);
    int found = sqlite3_column_int(row, 0);
    sqlite3_finalize(row);
    return found;
}

static int count(sqlite3 *db)
{
    return number(db, "SELECT count(*) FROM t");
}

Test(sqlite_gather, what_is_committed_is_there_for_others_at_once)
{
    sqlite3 *writer = open_as(sqlite_gather_vfs());
    run(writer, "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)");
    sqlite3 *other = open_as(NULL);
    for (int rows = 1; rows < 50; rows++) {
        add(writer, 1);
        cr_assert_eq(count(other), rows);
    }
    sqlite3_close(other);
    sqlite3_close(writer);
}

Test(sqlite_gather, what_does_not_fit_is_read_back_in_the_same_transaction)
{
    sqlite3 *writer = open_as(sqlite_gather_vfs());
    run(writer, "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB); PRAGMA cache_size = 10;"
                "BEGIN IMMEDIATE");
    add(writer, 500);
    cr_assert_eq(count(writer), 500);
    run(writer, "UPDATE t SET b = zeroblob(2000) WHERE id < 300; COMMIT");
    cr_assert_eq(count(writer), 500);
    sqlite3_close(writer);
}

/* Pages that the cache had no room for are in the log, or gathered for it, when their transaction is
 * undone; another connection writes in their place. */
Test(sqlite_gather, what_was_undone_is_not_written_over_what_others_have_committed)
{
    enum { ROWS = 20 };
    sqlite3 *writer = open_as(sqlite_gather_vfs()), *other;
    run(writer, "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB); PRAGMA cache_size = 20;"
                "PRAGMA wal_checkpoint(TRUNCATE); BEGIN IMMEDIATE");
    add(writer, 24);
    run(writer, "ROLLBACK");
    sqlite_gather_drop(writer);
    other = open_as(NULL);
    add(other, ROWS);
    cr_assert_eq(count(writer), ROWS);
    run(writer, "BEGIN IMMEDIATE; UPDATE t SET b = b WHERE id = 99; COMMIT");
    sqlite3 *third = open_as(NULL); /* reads all of it from the log */
    cr_assert_eq(number(third, "SELECT count(*) FROM t"), ROWS);
    cr_assert_eq(number(third, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    sqlite3_close(third);
    sqlite3_close(other);
    sqlite3_close(writer);
}
