/* What store_sqlite does with a disk that fails, and with files that it cannot use. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faulty_disk.h"
#include "stage.h"
#include "state_folder.h"
#include "support/cleanup.h"
#include "support/thread.h"

static void set_up(void)
{
    faulty_disk_install();
    state_folder_make();
}

TestSuite(sqlite_faults, .init = set_up, .fini = state_folder_remove);

static uint64_t durable_job(const char *id, size_t tasks)
{
    uint64_t job = stage_job(id);
    stage_tasks(job, "noop", NULL, tasks);
    stage_seal(job);
    cr_assert(state_becomes_durable(job));
    return job;
}

Test(sqlite_faults, a_full_disk_gives_up_what_is_not_durable_and_says_why)
{
    struct error error;
    stage_open("sqlite", 10, 10);
    durable_job("A", 1);
    faulty_disk_break(0, SQLITE_FULL);
    uint64_t b = stage_job("B");
    cr_assert_not(state_becomes_durable(b));
    cr_assert_not(store_is_well(stage, &error));
    cr_assert(strstr(error.message, "full") != NULL, "%s", error.message);
    cr_assert_not(store_seal_job(stage, b, &error));
    cr_assert_str_eq(error.code, "given_up");
    cr_assert_eq(stage_end_as(b, 0, STORE_SUCCEEDED), STORE_UNKNOWN);
    faulty_disk_heal();
    durable_job("C", 1);
    cr_assert(store_is_well(stage, NULL));
    cr_assert_str_eq(stage_unfinished(), "1/0 3/0");
    state_reopen(10, 10);
    cr_assert_str_eq(stage_unfinished(), "1/0 3/0");
    cr_assert_not(stage_find_job("B"));
    stage_close();
}

Test(sqlite_faults, a_commit_is_one_write_and_one_sync)
{
    stage_open("sqlite", 10, 10);
    durable_job("A", 1);
    int writes = faulty_disk_writes(), syncs = faulty_disk_syncs();
    durable_job("B", 100); /* nothing is checkpointed after so little */
    cr_assert_gt(faulty_disk_syncs(), syncs);
    cr_assert_eq(faulty_disk_writes() - writes, faulty_disk_syncs() - syncs);
    stage_close();
}

Test(sqlite_faults, ends_and_retries_are_kept_and_written_when_the_disk_is_back)
{
    stage_open("sqlite", 10, 10);
    uint64_t job = durable_job("A", 4);
    faulty_disk_break(0, SQLITE_IOERR_FSYNC);
    cr_assert_eq(stage_end_as(job, 0, STORE_SUCCEEDED), STORE_DONE);
    faulty_disk_wait_for_failures(2);
    cr_assert_eq(stage_end_as(job, 1, STORE_FAILED), STORE_DONE);
    cr_assert_eq(stage_retry(job, 2, 1, true, 500), STORE_DONE);
    cr_assert_eq(stage_end_as(job, 0, STORE_SUCCEEDED), STORE_ENDED);
    cr_assert_not(store_commit(stage, NULL));
    cr_assert_str_eq(stage_unfinished(), "1/0 1/1 1/2 1/3"); /* what the disk has */
    faulty_disk_heal();
    cr_assert(state_becomes_durable(durable_job("B", 1)));
    cr_assert_str_eq(stage_unfinished(), "1/2 1/3 2/0");
    state_reopen(10, 10);
    cr_assert_str_eq(stage_unfinished(), "1/2 1/3 2/0");
    cr_assert_str_eq(stage_due(900, 9, false), "1/2");
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/1");
    stage_close();
}

/* Of a job that came in pieces, what had been written goes too. */
Test(sqlite_faults, a_job_that_is_partly_durable_is_given_up_as_a_whole)
{
    stage_open("sqlite", 10, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2);
    stage_delayed(job, "noop", 500);
    stage_end_as(job, 1, STORE_FAILED);
    cr_assert(state_becomes_durable(job));
    faulty_disk_break(0, SQLITE_FULL);
    stage_tasks(job, "noop", NULL, 2);
    cr_assert_not(state_becomes_durable(job));
    cr_assert_eq(stage_end_as(job, 0, STORE_SUCCEEDED), STORE_UNKNOWN);
    faulty_disk_heal();
    durable_job("B", 1);
    cr_assert_str_eq(stage_visit((struct store_query){.job = 0}), "2/0");
    struct store_counts counts = stage_counts();
    cr_assert_eq(counts.jobs, 1);
    cr_assert_eq(counts.delayed, 0);
    cr_assert_eq(counts.by_state[STORE_UNFINISHED], 1);
    stage_close();
}

/* Waits until what was said before is written: a job that is added now is written with it. */
static void wait_for_writing(int step)
{
    char id[16];
    snprintf(id, sizeof(id), "S%d", step);
    uint64_t job = stage_job(id);
    stage_seal(job);
    cr_assert(state_becomes_durable(job));
}

/* Wherever in a transaction the disk fails, what was said before and after is neither lost nor
 * written twice. */
Test(sqlite_faults, a_failure_at_any_write_loses_nothing)
{
    enum { STEPS = 24, TASKS = 2 * STEPS };
    stage_open("sqlite", TASKS, TASKS);
    uint64_t job = durable_job("A", TASKS);
    for (int step = 0; step < STEPS; step++) {
        faulty_disk_break(step, step % 2 == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE);
        cr_assert_eq(stage_end_as(job, (uint32_t)(2 * step), STORE_SUCCEEDED), STORE_DONE);
        cr_assert_eq(stage_end_as(job, (uint32_t)(2 * step + 1), STORE_FAILED), STORE_DONE);
        store_commit(stage, NULL);
        faulty_disk_heal();
        wait_for_writing(step);
    }
    state_reopen(TASKS, TASKS);
    cr_assert_str_eq(stage_unfinished(), "");
    cr_assert_eq(stage_counts().by_state[STORE_SUCCEEDED], STEPS);
    cr_assert_eq(stage_counts().by_state[STORE_FAILED], STEPS);
    stage_close();
}

Test(sqlite_faults, orders_are_refused_while_the_disk_fails)
{
    struct error error;
    uint64_t count;
    stage_open("sqlite", 10, 10);
    uint64_t job = durable_job("A", 2);
    stage_end_as(job, 0, STORE_FAILED);
    cr_assert(store_commit(stage, NULL));
    faulty_disk_break(0, SQLITE_FULL);
    cr_assert_not(store_drop(stage, &(struct store_query){.job = job}, &count, &error));
    cr_assert(strstr(error.message, "full") != NULL, "%s", error.message);
    stage_end_as(job, 1, STORE_SUCCEEDED);
    faulty_disk_wait_for_failures(2);
    cr_assert_not(store_drop(stage, &(struct store_query){.job = job}, &count, &error));
    faulty_disk_heal();
    durable_job("B", 1);
    cr_assert_str_eq(stage_requeue((struct store_query){.job = job}), "1/0");
    stage_close();
}

static bool see_nothing(void *context, const struct store_task *task)
{
    (void)context;
    return task != NULL;
}

static bool requeue_all(uint64_t job)
{
    struct store_query query = {.job = job};
    return store_requeue(stage, &query, see_nothing, NULL, NULL);
}

/* The store looks itself whether a disk that failed works again. */
static void wait_until_well(void)
{
    const struct timespec look = {.tv_nsec = 1000 * 1000};
    int looks = 0;
    while (!store_is_well(stage, NULL) && looks++ < 20 * 1000)
        nanosleep(&look, NULL);
    cr_assert(store_is_well(stage, NULL));
}

/* Its job is over and not in memory any more. */
Test(sqlite_faults, a_requeue_that_fails_changes_nothing)
{
    stage_open("sqlite", 10, 10);
    uint64_t job = durable_job("A", 2);
    stage_end_as(job, 0, STORE_FAILED);
    stage_end_as(job, 1, STORE_TIMED_OUT);
    state_reopen(10, 10);
    for (int writes = 0; writes < 2; writes++) { /* it takes one, and a sync */
        cr_assert(store_commit(stage, NULL));
        faulty_disk_break(writes, SQLITE_IOERR_WRITE);
        cr_assert_not(requeue_all(job));
        faulty_disk_heal();
        wait_until_well();
        cr_assert_eq(stage_counts().by_state[STORE_UNFINISHED], 0);
        cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/0 1/1");
    }
    cr_assert(requeue_all(job));
    cr_assert_str_eq(stage_unfinished(), "1/0 1/1");
    struct store_end end = stage_end_of(job, 0, STORE_SUCCEEDED);
    end.name.attempt = 2;
    cr_assert_eq(stage_end(end), STORE_DONE);
    stage_close();
}

static atomic_bool is_enough;

static void stop_again_and_again(void *job)
{
    while (!atomic_load(&is_enough))
        store_stop_job(stage, *(uint64_t *)job, NULL); /* may fail, as the disk does */
}

/* While its dead letters are written, which takes some time, the job is there again. */
Test(sqlite_faults, a_job_may_be_stopped_while_its_requeue_fails)
{
    enum { TASKS = 3000, TIMES = 10 };
    struct thread stopper;
    stage_open("sqlite", 10, TASKS);
    uint64_t job = durable_job("A", TASKS);
    for (uint32_t i = 0; i < TASKS; i++)
        stage_end_as(job, i, STORE_FAILED);
    state_reopen(10, TASKS);
    cr_assert(thread_start(&stopper, "stopper", stop_again_and_again, &job, NULL));
    for (int i = 0; i < TIMES; i++) {
        wait_until_well();
        faulty_disk_break(0, SQLITE_IOERR_WRITE);
        cr_assert_not(requeue_all(job));
        faulty_disk_heal();
    }
    atomic_store(&is_enough, true);
    thread_join(&stopper);
    wait_until_well();
    cr_assert_eq(stage_counts().by_state[STORE_FAILED], TASKS);
    stage_close();
}

/* The first transaction only tidies up. Nothing is left to be written then, and nothing new is taken
 * while the disk fails. */
Test(sqlite_faults, a_disk_that_fails_when_nothing_is_to_be_written_is_tried_again)
{
    struct store_options options = {.place = state_place, .finished_max = 10, .dead_max = 10};
    int writes = 0;
    stage_open("sqlite", 10, 10);
    stage_close();
    for (stage = NULL; stage == NULL; writes++) { /* as many as opening takes */
        faulty_disk_heal();
        faulty_disk_break(writes, SQLITE_FULL);
        stage = store_open("sqlite", &options, NULL);
    }
    faulty_disk_wait_for_failures(1);
    faulty_disk_heal();
    wait_until_well();
    cr_assert(state_becomes_durable(stage_job("A")));
    stage_close();
}

enum { WRITES = 80, WRITE_BYTES = 1024 * 1024 };

static atomic_int writes_done;

static void write_much(void *job)
{
    static char text[WRITE_BYTES + 1];
    memset(text, 'x', WRITE_BYTES);
    for (int i = 0; i < WRITES; i++, atomic_fetch_add(&writes_done, 1))
        cr_assert_eq(stage_write_log(*(uint64_t *)job, 0, 1, text), STORE_DONE);
}

/* On a disk that is full, until it has to wait: 64 MiB are kept in memory. */
static void start_to_write_much(struct thread *writer)
{
    static uint64_t job;
    stage_open_with("sqlite", (struct store_options){.log_max_bytes = 100});
    job = durable_job("A", 1);
    faulty_disk_break(0, SQLITE_FULL);
    cr_assert(thread_start(writer, "writer", write_much, &job, NULL));
    while (atomic_load(&writes_done) < 63)
        thread_relax();
}

Test(sqlite_faults, who_says_too_much_waits_for_the_disk)
{
    struct thread writer;
    start_to_write_much(&writer);
    faulty_disk_wait_for_failures(4);
    cr_assert_leq(atomic_load(&writes_done), 65);
    faulty_disk_heal();
    thread_join(&writer);
    cr_assert(store_commit(stage, NULL));
    stage_unfinished();
    cr_assert_eq(stage_last.task.log_dropped_bytes, (uint64_t)WRITES * WRITE_BYTES - 100);
    stage_close();
}

/* A host that ends is not held up by a disk that is full. */
Test(sqlite_faults, who_waits_for_the_disk_is_let_go_when_the_host_ends)
{
    struct thread writer;
    start_to_write_much(&writer);
    faulty_disk_wait_for_failures(2);
    store_wait_no_more(stage);
    thread_join(&writer);
    cr_assert_eq(atomic_load(&writes_done), WRITES);
    stage_close();
}

Test(sqlite_faults, closing_while_the_disk_fails_comes_back)
{
    stage_open("sqlite", 10, 10);
    uint64_t job = durable_job("A", 2);
    faulty_disk_break(0, SQLITE_FULL);
    stage_job("B");
    stage_end_as(job, 0, STORE_SUCCEEDED);
    stage_close();
    faulty_disk_heal();
    stage_open("sqlite", 10, 10);
    cr_assert_str_eq(stage_unfinished(), "1/0 1/1");
    stage_close();
}

static void open_in_vain(struct error *error)
{
    struct store_options options = {.place = state_place};
    cr_assert_null(store_open("sqlite", &options, error));
}

Test(sqlite_faults, a_file_of_a_newer_version_is_refused)
{
    struct error error;
    char wanted[256];
    sqlite3 *db;
    stage_open("sqlite", 10, 10);
    stage_close();
    cr_assert_eq(sqlite3_open(state_place, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "PRAGMA user_version = 7", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    open_in_vain(&error);
    snprintf(wanted, sizeof(wanted),
             "%s has schema 7, this program knows 1 at most; it was written by a newer one",
             state_place);
    cr_assert_str_eq(error.message, wanted);
}

Test(sqlite_faults, a_file_system_without_shared_memory_is_refused)
{
    struct error error;
    faulty_disk_is_remote();
    open_in_vain(&error);
    cr_assert(strstr(error.message, "have it on a local one") != NULL, "%s", error.message);
}

static void write_over(const char *path, off_t at, const char *bytes, size_t count)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    cr_assert_eq(pwrite(fd, bytes, count, at), (ssize_t)count);
    close(fd);
}

Test(sqlite_faults, a_file_that_is_none_of_ours_is_refused)
{
    struct error error;
    static char text[8192];
    memset(text, 'x', sizeof(text));
    write_over(state_place, 0, text, sizeof(text));
    open_in_vain(&error);
    cr_assert_str_eq(error.code, "store_damaged");
    cr_assert(strstr(error.message, state_place) != NULL);
    cr_assert(strstr(error.message, "sluice fsck") != NULL);
}

Test(sqlite_faults, the_file_is_for_its_owner_alone)
{
    struct stat facts;
    stage_open("sqlite", 10, 10);
    cr_assert_eq(stat(state_place, &facts), 0);
    cr_assert_eq(facts.st_mode & 0777, 0600);
    stage_close();
}

/* Leaves without closing: the log of SQLite's has all that was committed. */
static void vanish(struct store_wait *wait, const struct store_told *told)
{
    (void)wait;
    _exit(told->is_durable ? 0 : 1);
}

static void work_and_vanish(void)
{
    static struct store_wait wait = {.done = vanish};
    stage_open("sqlite", 10, 10);
    uint64_t job = durable_job("A", 2);
    cr_assert_eq(stage_end_as(job, 0, STORE_SUCCEEDED), STORE_DONE);
    cr_assert(store_commit(stage, NULL));
    wait.job = stage_job("B");
    stage_tasks(wait.job, "noop", NULL, 1);
    store_when_durable(stage, &wait);
    for (;;)
        pause();
}

/* As after a power loss in the middle of a write: of the last transaction only a part is there. */
Test(sqlite_faults, a_torn_last_transaction_leaves_what_was_before)
{
    int status;
    char path[128];
    struct stat facts;
    pid_t child = fork();
    if (child == 0)
        work_and_vanish();
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    snprintf(path, sizeof(path), "%s-wal", state_place);
    cr_assert_eq(stat(path, &facts), 0);
    cr_assert_eq(truncate(path, facts.st_size - 1000), 0);
    stage_open("sqlite", 10, 10);
    cr_assert_str_eq(stage_unfinished(), "1/1");
    cr_assert_eq(stage_end_as(1, 0, STORE_SUCCEEDED), STORE_ENDED);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)}),
                     "1/0");
    cr_assert(stage_job("C") > 0);
    stage_close();
}

static void copy_file(const char *end, const char *folder)
{
    char from[128], to[128], bytes[65536];
    snprintf(from, sizeof(from), "%s%s", state_place, end);
    snprintf(to, sizeof(to), "%s/copy%s", folder, end);
    CLEANUP(cleanup_fclose) FILE *source = fopen(from, "r");
    CLEANUP(cleanup_fclose) FILE *target = fopen(to, "w");
    cr_assert(source != NULL && target != NULL);
    for (size_t count; (count = fread(bytes, 1, sizeof(bytes), source)) > 0;)
        cr_assert_eq(fwrite(bytes, 1, count, target), count);
}

static int64_t count_in_copy(const char *folder, const char *sql)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *row;
    snprintf(path, sizeof(path), "%s/copy", folder);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(row), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    unlink(path);
    return count;
}

/* Its transaction is in the log as a whole, but for the sync: a host that died now would leave the
 * files as they are copied. */
Test(sqlite_faults, a_job_that_was_refused_is_not_there_after_a_crash)
{
    char folder[] = "/tmp/sluice-crash-XXXXXX";
    stage_open("sqlite", 10, 10);
    durable_job("A", 1);
    faulty_disk_break_syncs();
    cr_assert_not(state_becomes_durable(stage_whole("B", "noop")));
    cr_assert_not_null(mkdtemp(folder));
    copy_file("", folder);
    copy_file("-wal", folder);
    faulty_disk_heal();
    cr_assert_eq(count_in_copy(folder, "SELECT count(*) FROM job WHERE id IN ('A', 'B')"), 1);
    cr_assert_eq(rmdir(folder), 0);
    durable_job("C", 1);
    cr_assert_str_eq(stage_unfinished(), "1/0 3/0");
    stage_close();
}

Test(sqlite_faults, jobs_that_are_to_wait_are_not_given_up)
{
    stage_open_with("sqlite",
                    (struct store_options){.finished_max = 10, .dead_max = 10, .jobs_wait = true});
    durable_job("A", 1);
    faulty_disk_break(0, SQLITE_FULL);
    uint64_t b = stage_job("B");
    stage_tasks(b, "noop", NULL, 300);
    faulty_disk_wait_for_failures(2);
    cr_assert_eq(stage_end_as(b, 7, STORE_SUCCEEDED), STORE_DONE);
    stage_seal(b);
    faulty_disk_heal();
    cr_assert(state_becomes_durable(b));
    state_reopen(10, 10);
    cr_assert(stage_find_job("B"));
    cr_assert_eq(stage_last_job.by_state[STORE_UNFINISHED], 299);
    cr_assert_eq(stage_last_job.by_state[STORE_SUCCEEDED], 1);
    stage_close();
}

/* SQLite would go on with a file that has no name. */
Test(sqlite_faults, nothing_is_durable_in_a_file_that_was_removed)
{
    static const char *const endings[] = {"", "-wal"};
    struct error error;
    char path[128], aside[128], id[8];
    stage_open("sqlite", 10, 10);
    durable_job("A", 1);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s%s", state_place, endings[i]);
        snprintf(aside, sizeof(aside), "%s.aside", state_place);
        cr_assert_eq(rename(path, aside), 0);
        cr_assert_not(state_becomes_durable(stage_job("B")));
        cr_assert_not(store_is_well(stage, &error));
        cr_assert(strstr(error.message, "was removed or replaced") != NULL, "%s", error.message);
        cr_assert_eq(rename(aside, path), 0);
        wait_until_well();
        snprintf(id, sizeof(id), "C%zu", i);
        durable_job(id, 1);
    }
    state_reopen(10, 10);
    cr_assert(stage_find_job("C1"));
    cr_assert_not(stage_find_job("B"));
    stage_close();
}

/* Its lock was removed, and so another could open it. */
Test(sqlite_faults, who_has_lost_the_file_to_another_writes_no_more)
{
    struct store_options options = {.place = state_place, .finished_max = 10, .dead_max = 10};
    struct error error;
    char lock[128];
    stage_open("sqlite", 10, 10);
    uint64_t job = durable_job("A", 2);
    snprintf(lock, sizeof(lock), "%s.lock", state_place);
    cr_assert_eq(unlink(lock), 0);
    struct store *other = store_open("sqlite", &options, &error);
    cr_assert_not_null(other);
    cr_assert_eq(stage_end_as(job, 0, STORE_SUCCEEDED), STORE_DONE);
    cr_assert_not(store_commit(stage, &error));
    cr_assert(strstr(error.message, "another process has taken it over") != NULL, "%s",
              error.message);
    cr_assert_not(state_becomes_durable(stage_job("B")));
    stage_close();
    store_close(&other);
    stage_open("sqlite", 10, 10);
    cr_assert_str_eq(stage_unfinished(), "1/0 1/1");
    stage_close();
}
