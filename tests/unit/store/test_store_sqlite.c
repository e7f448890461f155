#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../await.h"
#include "conformance.h"
#include "stage.h"
#include "state_folder.h"
#include "support/histogram.h"

TestSuite(store_sqlite, .init = state_folder_make, .fini = state_folder_remove);

#define CASE(name)                                                                                 \
    Test(store_sqlite, name)                                                                       \
    {                                                                                              \
        conformance_##name("sqlite");                                                              \
    }
#include "conformance.def"
#undef CASE

Test(store_sqlite, what_was_said_is_there_after_reopening)
{
    stage_open("sqlite", 10, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "hash", "sh", 4);
    stage_delayed(job, "noop", 700);
    stage_seal(job);
    stage_end_as(job, 1, STORE_SUCCEEDED);
    stage_end_as(job, 2, STORE_FAILED);
    stage_retry(job, 3, 1, true, 500);
    uint64_t epoch = store_epoch(stage);
    state_reopen(10, 10);
    cr_assert_eq(store_epoch(stage), epoch + 1);
    cr_assert_str_eq(stage_unfinished(), "1/0 1/3 1/4");
    cr_assert_str_eq(stage_due(900, 9, false), "1/3 1/4");
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)}),
                     "1/1");
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/2");
    cr_assert_str_eq(stage_last.id, "hash-2");
    cr_assert_str_eq(stage_last.label, "region=sh");
    cr_assert_eq(stage_job("B"), job + 1);
    stage_close();
}

Test(store_sqlite, an_attempt_of_an_earlier_opening_ends_nothing)
{
    stage_open("sqlite", 10, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    struct store_end late = stage_end_of(job, 0, STORE_SUCCEEDED);
    state_reopen(10, 10);
    cr_assert_eq(stage_end(late), STORE_STALE);
    cr_assert_eq(stage_end_as(job, 0, STORE_SUCCEEDED), STORE_DONE);
    stage_close();
}

Test(store_sqlite, retried_tasks_go_on_where_they_were_after_reopening)
{
    stage_open("sqlite", 10, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    stage_seal(job);
    stage_retry(job, 0, 1, true, 0);
    state_reopen(10, 10);
    stage_unfinished();
    cr_assert_eq(stage_last.task.attempt, 2);
    cr_assert_eq(stage_last.task.charged, 1);
    struct store_end end = stage_end_of(job, 0, STORE_FAILED);
    cr_assert_eq(stage_end(end), STORE_STALE);
    end.name.attempt = 2;
    cr_assert_eq(stage_end(end), STORE_DONE);
    cr_assert_str_eq(stage_requeue((struct store_query){.job = job}), "1/0");
    state_reopen(10, 10);
    cr_assert_str_eq(stage_unfinished(), "1/0");
    cr_assert_eq(stage_last.task.attempt, 3);
    cr_assert_eq(stage_last.task.attempts_count, 2);
    end = stage_end_of(job, 0, STORE_SUCCEEDED);
    end.name.attempt = 3;
    cr_assert_eq(stage_end(end), STORE_DONE);
    cr_assert_str_eq(stage_unfinished(), "");
    stage_close();
}

Test(store_sqlite, claims_and_logs_are_there_after_reopening)
{
    char holder[STORE_HOLDER_BYTES];
    stage_open_with("sqlite", (struct store_options){.log_max_bytes = 100});
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    stage_write_log(job, 0, 1, "one\n");
    cr_assert(store_claim(stage, "nightly", "A:1", holder, NULL));
    stage_close();
    stage_open_with("sqlite", (struct store_options){.log_max_bytes = 100});
    stage_write_log(job, 0, 1, "two\n");
    stage_unfinished();
    cr_assert_str_eq(stage_last.log, "one\ntwo\n");
    cr_assert(store_claim(stage, "nightly", "B:1", holder, NULL));
    cr_assert_str_eq(holder, "A:1");
    stage_close();
}

/* Of blocks of 1024 tasks that have all ended only a mark is read. */
Test(store_sqlite, what_is_left_of_a_large_job_is_found_after_reopening)
{
    enum { ALL = 3000 };
    stage_open("sqlite", 100, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, ALL);
    stage_seal(job);
    for (uint32_t i = 0; i < ALL; i++)
        if (i != 500 && i != 2500 && i != 2999)
            cr_assert_eq(stage_end_as(job, i, STORE_SUCCEEDED), STORE_DONE);
    state_reopen(100, 10);
    cr_assert_str_eq(stage_unfinished(), "1/500 1/2500 1/2999");
    cr_assert_eq(stage_end_as(job, 1500, STORE_SUCCEEDED), STORE_ENDED);
    cr_assert_eq(stage_end_as(job, 500, STORE_FAILED), STORE_DONE);
    cr_assert_eq(stage_end_as(job, 2500, STORE_SUCCEEDED), STORE_DONE);
    cr_assert_eq(stage_end_as(job, 2999, STORE_SUCCEEDED), STORE_DONE);
    state_reopen(100, 10);
    cr_assert_str_eq(stage_unfinished(), "");
    struct store_counts counts = stage_counts();
    cr_assert_eq(counts.by_state[STORE_SUCCEEDED], 100);
    cr_assert_eq(counts.by_state[STORE_FAILED], 1);
    cr_assert_str_eq(stage_requeue((struct store_query){.job = job}), "1/500");
    state_reopen(100, 10);
    cr_assert_str_eq(stage_unfinished(), "1/500");
    stage_close();
}

static void say_done(struct store_wait *wait, const struct store_told *told)
{
    (void)wait;
    _exit(told->is_durable ? 0 : 1);
}

/* Does some work and leaves without closing as soon as a job is durable. */
static void work_and_vanish(void)
{
    static struct store_wait wait = {.done = say_done};
    stage_open("sqlite", 10, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 3);
    stage_end_as(job, 1, STORE_SUCCEEDED);
    stage_seal(job);
    wait.job = job;
    store_when_durable(stage, &wait);
    for (;;)
        pause();
}

/* A chunk is read as a whole by whoever asks for one of its tasks. */
Test(store_sqlite, large_tasks_do_not_lie_in_one_chunk)
{
    sqlite3 *db;
    sqlite3_stmt *row;
    stage_open("sqlite", 10, 10);
    uint64_t job = stage_job("A");
    stage_heavy(job, 300 * 1000, 20);
    stage_end_as(job, 7, STORE_SUCCEEDED);
    stage_seal(job);
    state_reopen(10, 10);
    cr_assert_str_eq(stage_visit((struct store_query){.id = "heavy-7"}), "1/7");
    cr_assert_eq(stage_counts().by_state[STORE_UNFINISHED], 19);
    stage_close();
    cr_assert_eq(sqlite3_open(state_place, &db), SQLITE_OK);
    const char *sql = "SELECT max(length(tasks)) < 2000000 AND count(*) = 5 FROM chunk";
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_step(row), SQLITE_ROW);
    cr_assert_eq(sqlite3_column_int(row, 0), 1);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

Test(store_sqlite, what_was_durable_survives_the_process)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        work_and_vanish();
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    stage_open("sqlite", 10, 10);
    cr_assert_str_eq(stage_unfinished(), "1/0 1/2");
    cr_assert(stage_find_job("A"));
    cr_assert(stage_last_job.sealed);
    stage_close();
}

static void open_in_vain(struct error *error)
{
    struct store_options options = {.place = state_place};
    cr_assert_null(store_open("sqlite", &options, error));
}

Test(store_sqlite, a_forgotten_job_does_not_come_back)
{
    stage_open("sqlite", 10, 10);
    uint64_t a = stage_job("A"), b = stage_job("B");
    stage_tasks(a, "noop", NULL, 2000);
    stage_end_as(a, 5, STORE_FAILED);
    cr_assert(store_commit(stage, NULL));
    cr_assert(store_forget_job(stage, a, NULL));
    stage_tasks(b, "noop", NULL, 1);
    stage_seal(b);
    stage_end_as(b, 0, STORE_FAILED);
    state_reopen(10, 10);
    cr_assert_str_eq(stage_visit((struct store_query){.job = 0}), "2/0");
    cr_assert(store_forget_job(stage, b, NULL));
    cr_assert_str_eq(stage_visit((struct store_query){.job = 0}), "");
    cr_assert_eq(stage_counts().dead_bytes, 0);
    cr_assert_eq(stage_job("C"), b + 1);
    stage_close();
}

/* Processor time so far, of all threads. */
static double used_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Its ends and those of another stand in the same rows of the lines. */
Test(store_sqlite, a_job_that_goes_with_all_that_is_kept_of_it_costs_less_than_it_did)
{
    enum { ALL = 60000, EACH = 100 };
    stage_open("sqlite", ALL + EACH, ALL + EACH);
    uint64_t a = stage_job("A"), b = stage_job("B");
    stage_tasks(b, "noop", NULL, EACH);
    double begun_s = used_s();
    stage_tasks(a, "noop", NULL, ALL);
    for (uint32_t i = 0; i < ALL; i++) {
        stage_end_as(a, i, i % 3 == 0 ? STORE_FAILED : STORE_SUCCEEDED);
        if (i % (ALL / EACH) == 0)
            stage_end_as(b, i / (ALL / EACH),
                         i / (ALL / EACH) % 2 == 0 ? STORE_FAILED : STORE_CANCELLED);
    }
    cr_assert(store_commit(stage, NULL));
    double did_s = used_s() - begun_s;
    begun_s = used_s();
    cr_assert(store_forget_job(stage, a, NULL));
    cr_assert(store_commit(stage, NULL));
    double goes_s = used_s() - begun_s;
    cr_assert_lt(goes_s, did_s);
    struct store_counts counts = stage_counts();
    cr_assert_eq(counts.by_state[STORE_FAILED] + counts.by_state[STORE_CANCELLED], EACH);
    cr_assert_eq(counts.by_state[STORE_SUCCEEDED], 0);
    state_reopen(ALL, 1);
    store_set_finished_max(stage, 1); /* and what is left of the other is given up in its order */
    counts = stage_counts();
    cr_assert_eq(counts.by_state[STORE_FAILED], 1);
    cr_assert_eq(counts.by_state[STORE_CANCELLED], 1);
    stage_close();
}

Test(store_sqlite, a_second_opener_is_told_who_has_it)
{
    struct error error;
    char wanted[256];
    stage_open("sqlite", 10, 10);
    open_in_vain(&error);
    snprintf(wanted, sizeof(wanted), "%s is in use by process %ld", state_place, (long)getpid());
    cr_assert_str_eq(error.message, wanted);
    cr_assert_str_eq(error.code, "store_in_use");
    stage_close();
}

Test(store_sqlite, a_job_with_the_id_of_one_that_is_over_is_given_up_alone)
{
    stage_open("sqlite", 10, 10);
    uint64_t a = stage_job("A");
    stage_tasks(a, "noop", NULL, 1);
    stage_seal(a);
    stage_end_as(a, 0, STORE_SUCCEEDED);
    state_reopen(10, 10);
    uint64_t again = stage_job("A"), b = stage_job("B");
    stage_tasks(again, "noop", NULL, 1);
    stage_tasks(b, "noop", NULL, 1);
    cr_assert_not(state_becomes_durable(again));
    cr_assert(state_becomes_durable(b));
    cr_assert(store_is_well(stage, NULL));
    cr_assert_eq(stage_end_as(again, 0, STORE_SUCCEEDED), STORE_UNKNOWN);
    cr_assert_str_eq(stage_visit((struct store_query){.job = 0}), "1/0 3/0");
    stage_close();
}

static uint64_t commits(void)
{
    struct histogram_reading reading;
    histogram_read(store_commit_times(stage), &reading);
    return reading.up_to[HISTOGRAM_BUCKETS - 1];
}

/* A store whose ledger dozes: it has just committed a job with some tasks. */
static uint64_t open_and_commit(int64_t commit_interval_ns, size_t tasks)
{
    stage_open_with("sqlite", (struct store_options){.finished_max = 10,
                                                     .dead_max = 10,
                                                     .commit_interval_ns = commit_interval_ns});
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, tasks);
    cr_assert(store_commit(stage, NULL));
    return job;
}

/* Before the next job comes there is time for a commit that would be one too many. */
Test(store_sqlite, ends_that_nobody_waits_for_go_with_a_job_that_somebody_waits_for)
{
    enum { TASKS = 100 };
    uint64_t job = open_and_commit(3600 * NS_PER_S, TASKS), before = commits();
    char id[16];
    for (uint32_t i = 0; i < TASKS; i++) {
        int64_t until_ns = clock_now_ns() + 200 * NS_PER_US;
        stage_end_as(job, i, STORE_SUCCEEDED);
        AWAIT(clock_now_ns() >= until_ns);
        snprintf(id, sizeof(id), "B-%u", i);
        cr_assert(state_becomes_durable(stage_whole(id, "noop")));
    }
    cr_assert_eq(stage_counts().by_state[STORE_SUCCEEDED], 10);
    cr_assert_eq(commits(), before + TASKS);
    stage_close();
}

Test(store_sqlite, a_look_and_an_order_do_not_wait_for_company)
{
    uint64_t job = open_and_commit(3600 * NS_PER_S, 3);
    stage_end_as(job, 0, STORE_FAILED);
    cr_assert_str_eq(stage_unfinished(), "1/1 1/2");
    stage_end_as(job, 1, STORE_FAILED);
    cr_assert_str_eq(stage_requeue_at(job, (const uint32_t[]){1}, 1), "1/1");
    stage_close();
}

Test(store_sqlite, what_fills_a_transaction_does_not_wait_for_company)
{
    enum { TASKS = 1024 };
    uint64_t job = open_and_commit(3600 * NS_PER_S, TASKS), before = commits();
    for (uint32_t i = 0; i < TASKS; i++)
        stage_end_as(job, i, STORE_SUCCEEDED);
    AWAIT(commits() > before);
    stage_close();
}

/* Awake, dozing or asleep: between two of the ends there is time for each. */
Test(store_sqlite, an_end_that_nobody_waits_for_is_written_within_the_interval)
{
    enum { TASKS = 200 };
    uint64_t job = open_and_commit(NS_PER_MS, TASKS);
    for (uint32_t i = 0; i < TASKS; i++) {
        uint64_t before = commits();
        int64_t until_ns = clock_now_ns() + i * 20 * NS_PER_US;
        stage_end_as(job, i, STORE_SUCCEEDED);
        AWAIT(commits() > before);
        AWAIT(clock_now_ns() >= until_ns);
    }
    stage_close();
}

Test(store_sqlite, what_nobody_waits_for_is_written_when_it_is_closed)
{
    uint64_t job = open_and_commit(3600 * NS_PER_S, 2);
    stage_end_as(job, 0, STORE_SUCCEEDED);
    state_reopen(10, 10);
    cr_assert_str_eq(stage_unfinished(), "1/1");
    stage_close();
}
