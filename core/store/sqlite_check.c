#include "store/store_check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/sqlite_check_lines.h"
#include "store/sqlite_check_records.h"
#include "store/sqlite_file.h"
#include "store/sqlite_place.h"
#include "support/buffer.h"
#include "support/cleanup.h"

static const struct rule {
    const char *what, *count, *mend;
} rules[] = {
#define CHECK(what, count, mend) {what, count, mend},
#include "store/sqlite_checks.def"
#undef CHECK
};

enum { FINDING_BYTES = 512 };

static void found(struct store_check *check, const struct store_finding *finding)
{
    struct store_finding said = *finding;

    said.can_be_mended = said.can_be_mended && !check->pages_are_damaged;
    check->found++;
    check->mended += said.is_mended;
    check->report(check->context, &said);
}

/* SQLite's own check of pages, indexes and rows: gathers what it says, each with its NUL. */
static bool ask_pages(const struct store_check *check, sqlite3 *db, struct buffer *said,
                      struct error *error)
{
    sqlite3_stmt *row = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &row, NULL);

    said->length = 0;
    while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(row, 0);
        code = SQLITE_OK;
        if (text != NULL && sqlite3_stricmp(text, "ok") != 0)
            buffer_append(said, text, strlen(text) + 1);
    }
    sqlite3_finalize(row);
    return code == SQLITE_DONE || sqlite_file_failed(db, check->place, "cannot check", error);
}

/* Indexes are made anew of their tables; whether that was all is for another look to say. */
static bool mend_indexes(const struct store_check *check, sqlite3 *db)
{
    CLEANUP(buffer_fini) struct buffer left = BUFFER_EMPTY;
    return check->mode == STORE_CHECK_MEND &&
           sqlite3_exec(db, "REINDEX", NULL, NULL, NULL) == SQLITE_OK &&
           ask_pages(check, db, &left, NULL) && left.length == 0;
}

/* By what is read of damaged pages nothing is mended: rows that are only out of reach would be
 * missed, and what belongs to them deleted. */
static bool check_pages(struct store_check *check, sqlite3 *db, struct error *error)
{
    CLEANUP(buffer_fini) struct buffer said = BUFFER_EMPTY;
    char text[FINDING_BYTES];

    if (!ask_pages(check, db, &said, error))
        return false;
    bool is_mended = said.length > 0 && mend_indexes(check, db);
    if (said.length > 0 && !is_mended) {
        check->pages_are_damaged = check->mode == STORE_CHECK_MEND;
        check->mode = STORE_CHECK_LOOK;
    }
    for (size_t at = 0; at < said.length; at += strlen(said.bytes + at) + 1) {
        snprintf(text, sizeof(text), "the file is damaged: %s", said.bytes + at);
        found(check, &(struct store_finding){.what = text, .is_mended = is_mended});
    }
    return true;
}

static bool count_of(sqlite3 *db, const char *sql, int64_t *count)
{
    sqlite3_stmt *row = NULL;
    bool right =
        sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW;

    if (right)
        *count = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return right;
}

static bool check_rule(struct store_check *check, sqlite3 *db, const struct rule *rule,
                       struct error *error)
{
    struct store_finding finding = {.can_be_mended = rule->mend[0] != '\0'};
    char text[FINDING_BYTES];
    int64_t count = 0, left = 1;

    if (!count_of(db, rule->count, &count))
        return sqlite_file_failed(db, check->place, "cannot check", error);
    if (count == 0)
        return true;
    if (check->mode == STORE_CHECK_MEND && finding.can_be_mended &&
        (sqlite3_exec(db, rule->mend, NULL, NULL, NULL) != SQLITE_OK ||
         !count_of(db, rule->count, &left)))
        return sqlite_file_failed(db, check->place, "cannot mend", error);
    finding.is_mended = left == 0;
    snprintf(text, sizeof(text), "%s (%lld)", rule->what, (long long)count);
    finding.what = text;
    found(check, &finding);
    return true;
}

static bool check_lines(struct store_check *check, sqlite3 *db, struct error *error)
{
    struct store_finding finding = {.what = "the order in which ended tasks are kept is damaged",
                                    .can_be_mended = true};
    bool is_right;

    if (!sqlite_lines_check(db, &is_right))
        return sqlite_file_failed(db, check->place, "cannot check", error);
    if (is_right)
        return true;
    if (check->mode == STORE_CHECK_MEND) {
        if (!sqlite_lines_mend(db))
            return sqlite_file_failed(db, check->place, "cannot mend", error);
        finding.is_mended = true;
    }
    found(check, &finding);
    return true;
}

static void found_records(struct store_check *check, const char *what, uint64_t count, bool mended)
{
    char text[FINDING_BYTES];

    if (count == 0)
        return;
    snprintf(text, sizeof(text), "%s (%llu)", what, (unsigned long long)count);
    found(check, &(struct store_finding){.what = text, .is_mended = mended, .can_be_mended = true});
}

static bool check_records(struct store_check *check, sqlite3 *db, struct error *error)
{
    struct sqlite_records records;

    if (!sqlite_records_check(db, check, &records))
        return sqlite_file_failed(db, check->place, "cannot check", error);
    found_records(check,
                  "records of tasks are missing or damaged; mended, those that had not ended fail",
                  records.missing, records.left == 0);
    found_records(check, "records of unfinished tasks are of no use; mended, these tasks fail",
                  records.unusable, records.left == 0);
    return true;
}

static bool check_all(struct store_check *check, sqlite3 *db, struct error *error)
{
    if (!sqlite_file_prepare(db, check->place, error) || !check_pages(check, db, error) ||
        !check_records(check, db, error))
        return false;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (!check_rule(check, db, &rules[i], error))
            return false;
    return check_lines(check, db, error);
}

/* Opening a store changes the file: that of another program is left alone. One that cannot be read
 * is for SQLite to say. */
static bool is_store(const char *path, struct error *error)
{
    static const char text[] = "SELECT count(*) >= 4 FROM sqlite_master WHERE type = 'table' AND"
                               " name IN ('job', 'chunk', 'ended', 'meta')";
    sqlite3 *db = NULL;
    int64_t has_tables = 1;

    if (access(path, F_OK) != 0)
        return error_errno(error, "not_found", "there is no store at '%s'", path);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        count_of(db, text, &has_tables);
    sqlite3_close(db);
    return has_tables != 0 ||
           error_set(error, "not_a_store", "%s is not a store of Sluice's", path);
}

bool store_check(struct store_check *check, struct error *error)
{
    check->found = check->mended = 0;
    check->pages_are_damaged = false;
    if (!is_store(check->place, error))
        return false;
    CLEANUP(cleanup_close) int lock = sqlite_file_lock(check->place, 0, error);
    if (lock < 0)
        return false;
    sqlite3 *db = sqlite_file_open(check->place, error);
    if (db == NULL)
        return false;
    bool right = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ||
                 sqlite_file_failed(db, check->place, "cannot check", error);
    right = right && check_all(check, db, error);
    bool mends = right && check->mode == STORE_CHECK_MEND;
    if (sqlite3_exec(db, mends ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK && mends)
        right = sqlite_file_failed(db, check->place, "cannot mend", error);
    sqlite3_close(db);
    return right;
}
