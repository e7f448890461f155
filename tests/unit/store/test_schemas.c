/* Stores of all earlier schemas, as text in schema_N.sql, are opened and found whole. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"
#include "state_folder.h"
#include "store/sqlite_file.h"
#include "store/store_check.h"
#include "support/cleanup.h"

TestSuite(schemas, .init = state_folder_make, .fini = state_folder_remove);

static char *read_text(int version)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/tests/unit/store/schema_%d.sql", TEST_SOURCE_DIR, version);
    CLEANUP(cleanup_fclose) FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "each schema has a store in %s", path);
    char *text = NULL;
    size_t bytes = 0;
    cr_assert_gt(getdelim(&text, &bytes, '\0', file), 0);
    return text;
}

static void make_store(int version)
{
    CLEANUP(cleanup_free) char *text = read_text(version);
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(state_place, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* What tables and indexes a store has, with their columns: the caller frees it. */
static char *tables(void)
{
    static const char text[] =
        "SELECT group_concat(line, char(10)) FROM (SELECT m.name || '.' || c.name || ' ' || c.type"
        " || ' ' || c.[notnull] || c.pk AS line FROM sqlite_master m JOIN pragma_table_info(m.name)"
        " c WHERE m.type = 'table' UNION ALL SELECT name || coalesce(sql, '') FROM sqlite_master"
        " WHERE type = 'index' ORDER BY line)";
    sqlite3 *db;
    sqlite3_stmt *row;
    cr_assert_eq(sqlite3_open(state_place, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, text, -1, &row, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(row), SQLITE_ROW);
    char *found = strdup((const char *)sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    sqlite3_close(db);
    return found;
}

static void open_store(void)
{
    stage_open_with("sqlite", (struct store_options){.finished_max = 10,
                                                     .dead_max = 10,
                                                     .outputs_max_bytes = 99,
                                                     .log_max_bytes = 99,
                                                     .claims_max = 9});
}

static void note(void *context, const struct store_finding *finding)
{
    (void)context;
    cr_assert_fail("%s", finding->what);
}

static void expect_sound(void)
{
    struct store_check check = {.place = state_place, .report = note};
    struct error error;
    cr_assert(store_check(&check, &error), "%s", error.message);
}

static void expect_unfinished(void)
{
    char holder[STORE_HOLDER_BYTES];
    cr_assert_str_eq(stage_due(900, 9, false), "1/2 1/3");
    cr_assert_str_eq(stage_unfinished(), "1/2 1/3");
    stage_visit((struct store_query){.job = 1, .id = "hash-2"});
    cr_assert_eq(stage_last.task.attempt, 2);
    cr_assert_eq(stage_last.task.charged, 1);
    cr_assert_eq(stage_last.task.due_wall_ns, 500);
    cr_assert_eq(stage_last.task.given.priority, -5);
    cr_assert_str_eq(stage_last.label, "region=sh");
    cr_assert_str_eq(stage_last.reason, "busy");
    cr_assert_str_eq(stage_last.log, "a line\n");
    cr_assert(store_claim(stage, "nightly", "B:noop-0", holder, NULL));
    cr_assert_str_eq(holder, "A:hash-2");
}

static void expect_ended(void)
{
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/0");
    cr_assert_str_eq(stage_last.type, "hash");
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)}),
                     "1/1 2/0");
    stage_visit((struct store_query){.job = 1, .id = "hash-1"});
    cr_assert_eq(stage_last.task.outputs_bytes, sizeof("sum\0"
                                                       "42"));
    cr_assert(stage_find_job("A"));
    cr_assert_eq(stage_last_job.by_state[STORE_FAILED], 1);
    cr_assert(stage_find_job("B"));
}

static void go_on(void)
{
    struct store_end end = stage_end_of(1, 2, STORE_SUCCEEDED);
    end.name.attempt = 2;
    cr_assert_eq(stage_end(end), STORE_DONE);
    cr_assert_str_eq(stage_requeue((struct store_query){.states = STORE_DEAD_SET}), "1/0");
    cr_assert_eq(stage_job("C"), 3);
    cr_assert(state_becomes_durable(3));
}

Test(schemas, a_store_of_each_schema_is_opened_and_goes_on)
{
    for (int version = 1; version <= SQLITE_SCHEMA_VERSION; version++) {
        make_store(version);
        open_store();
        cr_assert_eq(store_epoch(stage), 2);
        expect_unfinished();
        expect_ended();
        go_on();
        stage_close();
        expect_sound();
        state_folder_remove();
        state_folder_make();
    }
}

Test(schemas, a_store_of_each_schema_has_the_tables_of_a_new_one)
{
    open_store();
    stage_close();
    CLEANUP(cleanup_free) char *now = tables();
    for (int version = 1; version <= SQLITE_SCHEMA_VERSION; version++) {
        state_folder_remove();
        state_folder_make();
        make_store(version);
        open_store();
        stage_close();
        CLEANUP(cleanup_free) char *then = tables();
        cr_assert_str_eq(then, now);
    }
}
