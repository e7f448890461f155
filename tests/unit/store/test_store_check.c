#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "stage.h"
#include "state_folder.h"
#include "store/store_check.h"

TestSuite(store_check, .init = state_folder_make, .fini = state_folder_remove);

static char findings[2048];

static void note(void *context, const struct store_finding *finding)
{
    size_t length = strlen(findings);
    (void)context;
    snprintf(findings + length, sizeof(findings) - length, "%s%s%s", length == 0 ? "" : "; ",
             finding->what, finding->is_mended ? ", mended" : "");
}

static bool (*usable)(const struct store_task_given *given);

static const char *check(enum store_check_mode mode)
{
    struct store_check check = {
        .place = state_place, .mode = mode, .report = note, .is_usable = usable};
    struct error error;
    findings[0] = '\0';
    cr_assert(store_check(&check, &error), "%s", error.message);
    return findings;
}

static void change(const char *sql)
{
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(state_place, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* A store in which everything there is has happened. */
static void fill(void)
{
    stage_open_with("sqlite",
                    (struct store_options){.finished_max = 3, .dead_max = 10, .log_max_bytes = 99});
    uint64_t a = stage_job("A"), b = stage_job("B");
    stage_tasks(a, "noop", NULL, 1500);
    for (uint32_t i = 0; i < 1100; i++)
        stage_end_as(a, i, i == 7 ? STORE_FAILED : STORE_SUCCEEDED);
    stage_tasks(b, "hash", "sh", 4);
    stage_delayed(b, "noop", 900);
    stage_seal(b);
    stage_write_log(b, 1, 1, "text\n");
    stage_retry(b, 2, 1, true, 500);
    stage_end_as(b, 0, STORE_FAILED);
    stage_end_as(b, 1, STORE_TIMED_OUT);
    uint64_t c = stage_job("C");
    stage_tasks(c, "noop", NULL, 2);
    stage_seal(c);
    stage_end_as(c, 0, STORE_FAILED);
    stage_end_as(c, 1, STORE_SUCCEEDED);
    stage_requeue((struct store_query){.job = c});
    stage_close();
}

Test(store_check, a_store_that_was_used_is_sound)
{
    fill();
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
}

Test(store_check, what_does_not_belong_together_is_found_and_mended)
{
    fill();
    change("INSERT INTO pending VALUES(16777216 + 3, 2, 1, 0, NULL);"
           "DELETE FROM ended WHERE place = 16777216 + 7;"
           "UPDATE job SET unfinished = 12 WHERE id = 'B';"
           "INSERT INTO log VALUES(99 << 24, 4, 'text')");
    check(STORE_CHECK_LOOK);
    cr_assert(strstr(findings, "logs belong to no job (1);") != NULL, "%s", findings);
    cr_assert(strstr(findings, "pending tasks have ended (1);") != NULL, "%s", findings);
    cr_assert(strstr(findings, "dead letters have not ended so (1);") != NULL, "%s", findings);
    cr_assert(strstr(findings, "unfinished tasks than there are (2)") != NULL, "%s", findings);
    check(STORE_CHECK_MEND);
    cr_assert(strstr(findings, "logs belong to no job (1), mended") != NULL, "%s", findings);
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
    stage_open("sqlite", 1, 1);
    cr_assert(state_becomes_durable(stage_job("D")));
    cr_assert_eq(stage_counts().by_state[STORE_UNFINISHED], 401 + 3 + 1);
    cr_assert_eq(stage_counts().by_state[STORE_SUCCEEDED], 1); /* the rest is forgotten in order */
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "2/1");
    stage_close();
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
}

#define MISSING "records of tasks are missing or damaged; mended, those that had not ended fail "
#define USELESS "records of unfinished tasks are of no use; mended, these tasks fail "

/* Forgets all that can be forgotten; returns how many jobs are left. */
static uint64_t jobs_after_all_is_too_old(void)
{
    uint64_t count;
    cr_assert(store_prune(stage, INT64_MAX, &count, NULL));
    cr_assert(store_drop(stage, &(struct store_query){.states = STORE_DEAD_SET}, &count, NULL));
    cr_assert(store_commit(stage, NULL));
    return stage_counts().jobs;
}

Test(store_check, tasks_without_a_record_get_one_and_have_failed_unless_they_had_ended)
{
    fill();
    change("DELETE FROM chunk WHERE place = (1 << 24) + 1024;" /* 76 of them have ended */
           "UPDATE chunk SET tasks = x'0400' WHERE place = 2 << 24;"
           "UPDATE chunk SET tasks = x'01000000ff01000000ff' WHERE place = 3 << 24");
    cr_assert_str_eq(check(STORE_CHECK_LOOK), MISSING "(262)"); /* 256, 4, 2 */
    cr_assert_str_eq(check(STORE_CHECK_MEND), MISSING "(262), mended");
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
    stage_open("sqlite", 10, 10);
    cr_assert_eq(stage_counts().by_state[STORE_UNFINISHED], 400 - 180 + 1);
    cr_assert(stage_find_job("A"));
    cr_assert_eq(stage_last_job.by_state[STORE_FAILED], 180 + 1);
    cr_assert(stage_find_job("B"));
    cr_assert_eq(stage_last_job.by_state[STORE_FAILED], 2 + 1);
    cr_assert(stage_find_job("C"));
    cr_assert_eq(stage_last_job.by_state[STORE_UNFINISHED], 0);
    cr_assert_eq(stage_end_as(1, 1030, STORE_SUCCEEDED), STORE_ENDED);
    cr_assert_eq(stage_end_as(2, 4, STORE_SUCCEEDED), STORE_DONE);
    cr_assert_eq(jobs_after_all_is_too_old(), 1); /* A goes on */
    stage_close();
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
}

static bool has_a_type(const struct store_task_given *given)
{
    return given->type[0] != '\0';
}

/* The first 99 of its records are whole, and stay where they are. */
Test(store_check, of_a_chunk_that_is_cut_off_only_the_rest_is_mended)
{
    fill();
    usable = has_a_type;
    change("UPDATE chunk SET tasks = substr(tasks, 1, length(tasks) * 99 / 256 + 9)"
           " WHERE place = (1 << 24) + 1024");
    cr_assert_str_eq(check(STORE_CHECK_MEND), MISSING "(157), mended");
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
}

static bool is_no_first_hash(const struct store_task_given *given)
{
    return strcmp(given->id, "hash-0") != 0 && strcmp(given->id, "hash-3") != 0;
}

Test(store_check, a_task_that_nobody_can_use_has_failed_unless_it_had_ended)
{
    fill();
    usable = is_no_first_hash;
    cr_assert_str_eq(check(STORE_CHECK_LOOK), USELESS "(1)");
    cr_assert_str_eq(check(STORE_CHECK_MEND), USELESS "(1), mended");
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
    stage_open("sqlite", 10, 10);
    cr_assert_eq(stage_end_as(2, 3, STORE_SUCCEEDED), STORE_ENDED);
    stage_close();
}

/* Two of them have one number, and one is far away. */
Test(store_check, the_order_of_what_is_kept_is_made_anew)
{
    fill();
    change("UPDATE ended SET seq = 4000000000 WHERE place = (1 << 24) + 1099;"
           "UPDATE ended SET seq = 1 WHERE place >> 24 = 2; UPDATE meta SET finished_next = 'x'");
    check(STORE_CHECK_MEND);
    cr_assert(strstr(findings, "the order in which ended tasks are kept is damaged, mended"), "%s",
              findings);
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
    stage_open("sqlite", 0, 0); /* all of it is over the limits */
    cr_assert(state_becomes_durable(stage_job("D")));
    cr_assert_eq(stage_counts().by_state[STORE_SUCCEEDED], 0);
    cr_assert_eq(stage_counts().by_state[STORE_FAILED], 0);
    stage_close();
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
}

Test(store_check, a_task_that_ended_in_no_known_way_has_failed)
{
    fill();
    change("UPDATE ended SET state = 77 WHERE place = (1 << 24) + 7");
    stage_open("sqlite", 3, 10);
    cr_assert_str_eq(stage_visit((struct store_query){.job = 1, .states = STORE_DEAD_SET}), "1/7");
    cr_assert_eq(stage_last.task.state, STORE_FAILED);
    stage_close();
    check(STORE_CHECK_MEND);
    cr_assert(strstr(findings, "ended tasks have a state that is none (1), mended"), "%s",
              findings);
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
}

/* Ends the task that was seen last, as its host would. */
static enum store_answer end_last(void)
{
    struct store_end end =
        stage_end_of(stage_last.job_key, stage_last.task.number, STORE_SUCCEEDED);
    end.name.attempt = stage_last.task.attempt;
    return stage_end(end);
}

/* What is damaged is said, or passed over; nobody falls over it. */
Test(store_check, a_store_whose_rows_are_damaged_is_opened_or_refused_with_the_reason)
{
    static const char *const damages[] = {
        "UPDATE job SET id = NULL, name = NULL, file = NULL",
        "INSERT INTO claim VALUES('long', hex(zeroblob(99))), (hex(zeroblob(200)), 'B:x')",
        "INSERT INTO pending VALUES((2 << 24) + 900, 7, 0, 0, NULL);"
        "INSERT INTO log VALUES((2 << 24) + 901, 7, 'text');"
        "INSERT INTO ended(place, seq, state) VALUES((1 << 24) + 1500, 9999, 1)",
        "UPDATE pending SET attempt = -1",
        "UPDATE line SET entries = x'ffff'",
        "UPDATE line SET entries = x'020702070207'",
        "DELETE FROM line; UPDATE meta SET finished_next = 1 << 60, finished_count = 1 << 60,"
        " dead_next = 1 << 60, dead_count = 1 << 60",
    };
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        fill();
        change("PRAGMA writable_schema = 1;"
               "UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '')");
        change(damages[i]);
        stage_open("sqlite", 1, 1);
        stage_unfinished();
        cr_assert_neq(end_last(), STORE_STALE, "%s", damages[i]);
        stage_end_as(2, 3, STORE_FAILED);
        cr_assert(state_becomes_durable(stage_job("D")), "%s", damages[i]);
        stage_requeue((struct store_query){.job = 0});
        stage_close();
        state_folder_remove();
        state_folder_make();
    }
}

Test(store_check, a_store_that_has_given_all_keys_takes_no_more_jobs)
{
    struct error error;
    fill();
    change("UPDATE meta SET next_key = (1 << 39) - 1000");
    stage_open("sqlite", 3, 10);
    cr_assert_not(store_is_well(stage, &error));
    cr_assert(strstr(error.message, "can have no more"), "%s", error.message);
    stage_end_as(2, 3, STORE_SUCCEEDED);
    cr_assert(store_commit(stage, &error));
    stage_close();
}

Test(store_check, a_job_whose_places_are_all_taken_takes_no_more_tasks)
{
    static const struct store_new_task tasks[2]; /* that nobody looks at */
    struct error error;
    fill();
    change("UPDATE job SET tasks = (1 << 24) - 1, sparse = 1, unfinished = 0 WHERE key = 1");
    stage_open("sqlite", 3, 10);
    cr_assert_not(store_add_tasks(stage, 1, tasks, 2, &error));
    cr_assert(strstr(error.message, "at most 16777216 tasks"), "%s", error.message);
    stage_tasks(1, "noop", NULL, 1);
    cr_assert_not(store_add_tasks(stage, 1, tasks, 1, &error));
    cr_assert_eq(stage_end_as(1, (1 << 24) - 1, STORE_FAILED), STORE_DONE);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}),
                     "1/7 1/16777215 2/0 2/1");
    cr_assert_str_eq(stage_visit((struct store_query){
                         .states = STORE_DEAD_SET, .resume = true, .after = {1, (1 << 24) - 1}}),
                     "2/0 2/1");
    stage_close();
}

/* It would take all memory. */
Test(store_check, a_job_with_an_incredible_number_of_tasks_is_refused)
{
    struct store_options options = {.place = state_place};
    struct error error;
    fill();
    change("UPDATE job SET tasks = 4294967295 WHERE id = 'A'");
    cr_assert_null(store_open("sqlite", &options, &error));
    cr_assert_str_eq(error.code, "store_damaged");
    cr_assert(strstr(error.message, "sluice fsck"), "%s", error.message);
}

Test(store_check, a_job_that_is_over_against_what_it_says_goes_when_it_is_too_old)
{
    fill();
    change("UPDATE job SET over = 1 WHERE id = 'A'");
    check(STORE_CHECK_MEND);
    change("UPDATE ended SET seq = 0 WHERE place >> 24 = 3; DELETE FROM pending WHERE place >> 24 "
           "= 3");
    check(STORE_CHECK_MEND);
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
    stage_open("sqlite", 10, 10);
    cr_assert_eq(jobs_after_all_is_too_old(), 2);
    cr_assert_not(stage_find_job("C"));
    stage_close();
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
}

Test(store_check, what_is_no_store_is_left_alone)
{
    struct store_check check = {.place = state_place, .mode = STORE_CHECK_MEND, .report = note};
    struct error error;
    change("CREATE TABLE job(a)");
    cr_assert_not(store_check(&check, &error));
    cr_assert_str_eq(error.code, "not_a_store");
}

Test(store_check, a_damaged_page_is_said)
{
    fill();
    FILE *file = fopen(state_place, "r+");
    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, 4096 * 5, SEEK_SET), 0);
    for (int i = 0; i < 4096; i++)
        fputc('x', file);
    fclose(file);
    struct store_check check = {.place = state_place, .report = note};
    struct error error;
    bool right = store_check(&check, &error);
    cr_assert(right ? check.found > 0 : strcmp(error.code, "store_damaged") == 0);
}

/* What SQLite finds through an index is not what its table has. */
Test(store_check, an_index_that_does_not_fit_its_table_is_made_anew)
{
    fill();
    change("PRAGMA writable_schema = 1;" /* what is added then, the index does not have */
           "UPDATE sqlite_schema SET sql = sql || ' WHERE type = 0' WHERE name = 'dead_type'");
    change("PRAGMA writable_schema = 1; UPDATE dead SET type = 'other';"
           "UPDATE sqlite_schema SET sql = replace(sql, ' WHERE type = 0', '')");
    check(STORE_CHECK_LOOK);
    cr_assert(strstr(findings, "missing from index dead_type"), "%s", findings);
    check(STORE_CHECK_MEND);
    cr_assert(strstr(findings, "missing from index dead_type, mended"), "%s", findings);
    cr_assert_str_eq(check(STORE_CHECK_LOOK), "");
}

/* Mending by what can still be read would delete the tasks of jobs that are out of reach. */
Test(store_check, where_pages_are_damaged_nothing_is_mended)
{
    fill();
    change("UPDATE job SET unfinished = 12 WHERE id = 'B'; CREATE TABLE precious(a);"
           "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = 2 WHERE name ="
           " 'precious'");
    check(STORE_CHECK_MEND);
    cr_assert(strstr(findings, "the file is damaged: "), "%s", findings);
    cr_assert(strstr(findings, "unfinished tasks than there are (1)"), "%s", findings);
    cr_assert_null(strstr(findings, "mended"), "%s", findings);
}

Test(store_check, a_store_in_use_and_one_that_is_not_there_are_refused)
{
    struct store_check check = {.place = state_place, .report = note};
    struct error error;
    cr_assert_not(store_check(&check, &error));
    cr_assert_str_eq(error.code, "not_found");
    stage_open("sqlite", 3, 10);
    cr_assert_not(store_check(&check, &error));
    cr_assert_str_eq(error.code, "store_in_use");
    stage_close();
}
