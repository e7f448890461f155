#include "store/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite_gather.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/process.h"

enum {
    BUSY_MS = 10000,
    CACHE_KIB = 32768,                 /* of each connection, if it reads so much */
    CHECKPOINT_PAGES = 4000,           /* of the write-ahead log, which then begins anew */
    LOG_MOST_BYTES = 64 * 1024 * 1024, /* that it keeps when it does */
};

/* How long a process that is dying is waited for. */
#define LOOK_NS       (10 * NS_PER_MS)
#define DYING_MOST_NS (10 * NS_PER_S)

/* Of a database, in its header, by which file(1) knows it too: "SLUC". */
#define APPLICATION_ID "0x534c5543"

#define FACT(column, member) ", " #column
const char sqlite_fact_names[] =
#include "store/sqlite_facts.def"
    ;
#undef FACT

#define FACT(column, member) ", " #column " INTEGER NOT NULL"
static const char fact_columns[] =
#include "store/sqlite_facts.def"
    ;
#undef FACT

bool sqlite_file_failed(sqlite3 *db, const char *path, const char *what, struct error *error)
{
    int code = sqlite3_errcode(db) & 0xff;

    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        return error_set(error, "store_damaged",
                         "%s: %s: the file is damaged (something is missing); see 'sluice fsck'",
                         path, what);
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return error_set(error, "store_damaged",
                         "%s: %s: the file is damaged (%s); see 'sluice fsck'", path, what,
                         sqlite3_errmsg(db));
    return error_set(error, "store_failed", "%s: %s: %s", path, what, sqlite3_errmsg(db));
}

/* Who has a lock stands in its file: for those who are refused, and who wait. */
struct holder {
    int pid, watched_by; /* 0: unknown, none */
};

static void lock_sign(int fd, int watched_by)
{
    char text[48];
    int length = snprintf(text, sizeof(text), "%d %d\n", (int)getpid(), watched_by);

    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)length, 0) != length)
        (void)ftruncate(fd, 0);
}

static struct holder lock_holder(int fd)
{
    struct holder holder = {0};
    char text[48] = "";
    ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

    if (length > 0)
        sscanf(text, "%d %d", &holder.pid, &holder.watched_by);
    return holder;
}

static bool is_dying(int fd)
{
    struct holder holder = lock_holder(fd);

    return holder.watched_by != 0 && process_is_over(holder.watched_by);
}

/* False with errno. */
static bool lock_take(int fd)
{
    const struct timespec span = {.tv_nsec = LOOK_NS};
    int64_t until_ns = clock_now_ns() + DYING_MOST_NS;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return false;
        if (!is_dying(fd) || clock_now_ns() > until_ns) {
            errno = EWOULDBLOCK;
            return false;
        }
        nanosleep(&span, NULL);
    }
    return true;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int sqlite_file_lock(const char *path, int watched_by, struct error *error)
{
    char name[4096];
    int length = snprintf(name, sizeof(name), "%s.lock", path);

    if (length >= (int)sizeof(name)) {
        error_set(error, "store_open", "%s: the path is too long", path);
        return -1;
    }
    if (is_folder(path)) {
        error_set(error, "store_open", "%s is a folder, not a file", path);
        return -1;
    }
    CLEANUP(cleanup_close) int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_errno(error, "store_open", "cannot open '%s'", name);
        return -1;
    }
    if (!lock_take(fd)) {
        if (errno == EWOULDBLOCK)
            error_set(error, "store_in_use", "%s is in use by process %d", path,
                      lock_holder(fd).pid);
        else
            error_errno(error, "store_open", "cannot lock '%s'", name);
        return -1;
    }
    lock_sign(fd, watched_by);
    int held = fd;
    fd = -1;
    return held;
}

bool sqlite_file_make(const char *path, struct error *error)
{
    CLEANUP(cleanup_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 || error_errno(error, "store_open", "cannot open '%s'", path);
}

static bool number_read(sqlite3 *db, const char *path, const char *sql, int *number,
                        struct error *error)
{
    sqlite3_stmt *row = NULL;
    bool right =
        sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW;

    if (right)
        *number = sqlite3_column_int(row, 0);
    else
        sqlite_file_failed(db, path, "cannot open the store", error);
    sqlite3_finalize(row);
    return right;
}

/* Looks before anything is written, even that it has a write-ahead log. */
static bool is_ours(sqlite3 *db, const char *path, struct error *error)
{
    int tables, application;

    if (!number_read(db, path, "SELECT count(*) FROM sqlite_schema", &tables, error) ||
        !number_read(db, path, "PRAGMA application_id", &application, error))
        return false;
    return tables == 0 || application == strtol(APPLICATION_ID, NULL, 0) ||
           error_set(error, "store_foreign", "%s is a database of another program", path);
}

/* Where a file system has no shared memory there is no write-ahead log either, and SQLite only says
 * so: readers and the writer would wait for each other. */
static bool has_log(sqlite3 *db, const char *path, struct error *error)
{
    sqlite3_stmt *row = NULL;
    bool right = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &row, NULL) == SQLITE_OK &&
                 sqlite3_step(row) == SQLITE_ROW;
    const char *mode = right ? (const char *)sqlite3_column_text(row, 0) : NULL;

    if (!right)
        sqlite_file_failed(db, path, "cannot open the store", error);
    else if (mode == NULL || strcmp(mode, "wal") != 0)
        right = error_set(error, "store_open",
                          "%s: its file system does not let a write-ahead log be shared (the mode "
                          "is '%s'): have it on a local one",
                          path, mode == NULL ? "" : mode);
    sqlite3_finalize(row);
    return right;
}

static bool configure(sqlite3 *db, const char *path, struct error *error)
{
    char text[256];

    snprintf(text, sizeof(text),
             "PRAGMA synchronous = FULL; PRAGMA cache_size = -%d;"
             "PRAGMA wal_autocheckpoint = %d; PRAGMA journal_size_limit = %d;"
             "PRAGMA temp_store = MEMORY;",
             CACHE_KIB, CHECKPOINT_PAGES, LOG_MOST_BYTES);
    return has_log(db, path, error) &&
           (sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ||
            sqlite_file_failed(db, path, "cannot open the store", error));
}

sqlite3 *sqlite_file_open(const char *path, struct error *error)
{
    sqlite3 *db = NULL;

    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                               sqlite_gather_vfs());
    if (db == NULL)
        abort(); /* no memory */
    sqlite3_busy_timeout(db, BUSY_MS);
    if ((code != SQLITE_OK && !sqlite_file_failed(db, path, "cannot open the store", error)) ||
        !is_ours(db, path, error) || !configure(db, path, error)) {
        sqlite3_close(db);
        return NULL;
    }
    sqlite3_extended_result_codes(db, 1);
    return db;
}

/* One step of the way from a schema to the next. */
static const char *const migrations[] = {
    NULL, /* to 1: what is not there is made as it is now */
};

static bool run(sqlite3 *db, const char *path, const char *sql, struct error *error)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           sqlite_file_failed(db, path, "cannot prepare the store", error);
}

static const char meta_table[] = "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK (id = 1)"
#define META(column, member) ", " #column " INTEGER NOT NULL DEFAULT 0"
#include "store/sqlite_meta.def"
#undef META
                                 ");";

static bool schema_make(sqlite3 *db, const char *path, struct error *error)
{
    static const char *const statements[] = {
#define TABLE(name, text) "CREATE TABLE " #name " " text ";",
#include "store/sqlite_tables.def"
#undef TABLE
        meta_table,
#define INDEX(name, text) "CREATE INDEX " #name " ON " text ";",
#define TABLE(name, text)
#include "store/sqlite_tables.def"
#undef TABLE
#undef INDEX
        "PRAGMA application_id = " APPLICATION_ID ";",
        "INSERT INTO meta(id, next_key, over_next, finished_next, finished_floor, dead_next,"
        " dead_floor) VALUES(1, 1, 1, 1, 1, 1, 1);",
    };
    char text[4096];

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        const char *hole = strstr(statements[i], "%s");
        int before = hole == NULL ? (int)strlen(statements[i]) : (int)(hole - statements[i]);
        snprintf(text, sizeof(text), "%.*s%s%s", before, statements[i],
                 hole == NULL ? "" : fact_columns, hole == NULL ? "" : hole + 2);
        if (!run(db, path, text, error))
            return false;
    }
    return true;
}

/* Makes one step and says so, as a whole. */
static bool migrate(sqlite3 *db, const char *path, int from, struct error *error)
{
    char text[64];
    const char *step = migrations[from];

    snprintf(text, sizeof(text), "PRAGMA user_version = %d", from + 1);
    bool right = run(db, path, "BEGIN IMMEDIATE", error) &&
                 (step == NULL ? schema_make(db, path, error) : run(db, path, step, error)) &&
                 run(db, path, text, error) && run(db, path, "COMMIT", error);
    if (!right)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return right;
}

bool sqlite_file_prepare(sqlite3 *db, const char *path, struct error *error)
{
    int version;

    if (!number_read(db, path, "PRAGMA user_version", &version, error))
        return false;
    if (version > SQLITE_SCHEMA_VERSION)
        return error_set(error, "store_newer",
                         "%s has schema %d, this program knows %d at most; it was written by a "
                         "newer one",
                         path, version, SQLITE_SCHEMA_VERSION);
    for (; version < SQLITE_SCHEMA_VERSION; version++)
        if (!migrate(db, path, version, error))
            return false;
    return true;
}

bool sqlite_meta_read(sqlite3 *db, struct sqlite_meta *meta, struct error *error)
{
    static const char text[] = "SELECT id"
#define META(column, member) ", " #column
#include "store/sqlite_meta.def"
#undef META
                               " FROM meta";
    sqlite3_stmt *row = NULL;
    int column = 0;
    bool right = sqlite3_prepare_v2(db, text, -1, &row, NULL) == SQLITE_OK &&
                 sqlite3_step(row) == SQLITE_ROW;

    if (right) {
#define META(name, member) meta->member = (uint64_t)sqlite3_column_int64(row, ++column);
#include "store/sqlite_meta.def"
#undef META
    } else {
        sqlite_file_failed(db, sqlite3_db_filename(db, "main"), "cannot read the store", error);
    }
    sqlite3_finalize(row);
    return right;
}

enum store_state sqlite_state_read(sqlite3_stmt *row, int column)
{
    int64_t state = sqlite3_column_int64(row, column);
    bool is_final = state > STORE_UNFINISHED && state < STORE_STATE_COUNT;
    return is_final ? (enum store_state)state : STORE_FAILED;
}

void sqlite_facts_read(sqlite3_stmt *row, int column, struct sqlite_facts *facts)
{
#define FACT(name, member)                                                                         \
    facts->member = (__typeof__(facts->member))sqlite3_column_int64(row, column++);
#include "store/sqlite_facts.def"
#undef FACT
    facts->tasks_count = sqlite_tasks_believed(facts->tasks_count);
}
