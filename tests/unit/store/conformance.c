#include "conformance.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "stage.h"
#include "support/thread.h"

void conformance_tasks_come_back_in_order_of_job_and_number(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t a = stage_job("A"), b = stage_job("B");
    stage_tasks(b, "noop", NULL, 2);
    stage_tasks(a, "noop", NULL, 1);
    stage_tasks(b, "noop", NULL, 1);
    stage_tasks(a, "noop", NULL, 1);
    cr_assert(store_commit(stage, NULL));
    cr_assert_str_eq(stage_unfinished(), "1/0 1/1 2/0 2/1 2/2");
    stage_close();
}

void conformance_a_task_keeps_everything_it_was_given(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "hash", "sh", 1);
    stage_unfinished();
    const struct store_task *task = &stage_last.task;
    cr_assert_str_eq(stage_last.id, "hash-0");
    cr_assert_str_eq(stage_last.type, "hash");
    cr_assert_str_eq(stage_last.label, "region=sh");
    cr_assert_str_eq(stage_last.params, "params of 0");
    cr_assert_eq(task->given.line, 7);
    cr_assert_eq(task->given.timeout_ns, 30);
    cr_assert_eq(task->given.weight, 4);
    cr_assert_eq(task->given.priority, -5);
    cr_assert_eq(task->state, STORE_UNFINISHED);
    cr_assert_eq(task->attempt, 1);
    cr_assert_eq(task->epoch, store_epoch(stage));
    stage_close();
}

void conformance_an_end_takes_the_task_out_of_the_unfinished(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 4);
    cr_assert_eq(stage_end_as(job, 1, STORE_SUCCEEDED), STORE_DONE);
    cr_assert_eq(stage_end_as(job, 2, STORE_FAILED), STORE_DONE);
    cr_assert_str_eq(stage_unfinished(), "1/0 1/3");
    stage_close();
}

void conformance_a_second_end_is_answered_with_ended(const char *backend)
{
    stage_open(backend, 10, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2);
    cr_assert_eq(stage_end_as(job, 0, STORE_SUCCEEDED), STORE_DONE);
    cr_assert_eq(stage_end_as(job, 0, STORE_FAILED), STORE_ENDED);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)}),
                     "1/0");
    stage_close();
}

void conformance_an_end_of_another_attempt_is_stale(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    struct store_end end = stage_end_of(job, 0, STORE_SUCCEEDED);
    end.name.attempt = 2;
    cr_assert_eq(stage_end(end), STORE_STALE);
    cr_assert_eq(stage_retry(job, 0, 1, true, 0), STORE_DONE);
    end.name.attempt = 1;
    cr_assert_eq(stage_end(end), STORE_STALE);
    cr_assert_eq(stage_retry(job, 0, 1, true, 0), STORE_STALE);
    cr_assert_str_eq(stage_unfinished(), "1/0");
    end.name.attempt = 2;
    cr_assert_eq(stage_end(end), STORE_DONE);
    stage_close();
}

void conformance_an_end_of_another_epoch_is_stale(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    struct store_end end = stage_end_of(job, 0, STORE_SUCCEEDED);
    end.name.epoch = store_epoch(stage) - 1;
    cr_assert_eq(stage_end(end), STORE_STALE);
    cr_assert_str_eq(stage_unfinished(), "1/0");
    stage_close();
}

void conformance_an_end_of_what_was_never_added_is_unknown(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    cr_assert_eq(stage_end_as(job, 1, STORE_SUCCEEDED), STORE_UNKNOWN);
    cr_assert_eq(stage_end_as(job + 1, 0, STORE_SUCCEEDED), STORE_UNKNOWN);
    cr_assert_eq(stage_end_as(0, 0, STORE_SUCCEEDED), STORE_UNKNOWN);
    cr_assert_eq(stage_end_as(UINT64_MAX, 0, STORE_SUCCEEDED), STORE_UNKNOWN);
    stage_close();
}

void conformance_each_item_of_a_batch_is_answered_on_its_own(const char *backend)
{
    stage_open(backend, 10, 10);
    uint64_t a = stage_job("A"), b = stage_job("B");
    stage_tasks(a, "noop", NULL, 2);
    stage_tasks(b, "noop", NULL, 1);
    struct store_end ends[] = {
        stage_end_of(a, 0, STORE_SUCCEEDED), stage_end_of(b, 0, STORE_SUCCEEDED),
        stage_end_of(a, 0, STORE_SUCCEEDED), stage_end_of(b, 7, STORE_SUCCEEDED),
        stage_end_of(a, 1, STORE_CANCELLED),
    };
    ends[4].name.attempt = 9;
    cr_assert(store_end(stage, ends, 5, NULL));
    const enum store_answer wanted[] = {STORE_DONE, STORE_DONE, STORE_ENDED, STORE_UNKNOWN,
                                        STORE_STALE};
    for (int i = 0; i < 5; i++)
        cr_assert_eq(ends[i].answer, wanted[i], "item %d", i);
    stage_close();
}

enum { RACE_TASKS = 2000, RACE_THREADS = 4 };

struct race {
    uint64_t job;
    atomic_int done;
};

static void end_them_all(void *argument)
{
    struct race *race = argument;
    for (uint32_t i = 0; i < RACE_TASKS; i++)
        if (stage_end_as(race->job, i, STORE_SUCCEEDED) == STORE_DONE)
            atomic_fetch_add(&race->done, 1);
}

void conformance_of_many_threads_one_ends_a_task(const char *backend)
{
    stage_open(backend, 100, 0);
    struct race race = {.job = stage_job("A")};
    struct thread threads[RACE_THREADS];
    stage_tasks(race.job, "noop", NULL, RACE_TASKS);
    for (int i = 0; i < RACE_THREADS; i++)
        cr_assert(thread_start(&threads[i], "ender", end_them_all, &race, NULL));
    for (int i = 0; i < RACE_THREADS; i++)
        thread_join(&threads[i]);
    cr_assert_eq(race.done, RACE_TASKS);
    cr_assert_str_eq(stage_unfinished(), "");
    stage_close();
}

void conformance_a_retry_makes_the_next_attempt_the_current_one(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "hash", "sh", 1);
    cr_assert_eq(stage_retry(job, 0, 1, true, 0), STORE_DONE);
    cr_assert_eq(stage_retry(job, 0, 2, true, 0), STORE_DONE);
    cr_assert_str_eq(stage_unfinished(), "1/0");
    cr_assert_eq(stage_last.task.attempt, 3);
    cr_assert_eq(stage_last.task.charged, 2);
    cr_assert_eq(stage_last.task.attempts_count, 2);
    cr_assert_eq(stage_last.last_attempt.attempt, 2);
    cr_assert_str_eq(stage_last.message, "attempt 2 failed");
    cr_assert_str_eq(stage_last.id, "hash-0");
    stage_close();
}

void conformance_a_retry_that_is_not_charged_counts_no_attempt(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    cr_assert_eq(stage_retry(job, 0, 1, false, 0), STORE_DONE);
    stage_unfinished();
    cr_assert_eq(stage_last.task.attempt, 2);
    cr_assert_eq(stage_last.task.charged, 0);
    stage_close();
}

void conformance_a_task_tried_too_often_keeps_its_latest_attempts(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    for (uint32_t attempt = 1; attempt <= 20; attempt++)
        cr_assert_eq(stage_retry(job, 0, attempt, true, 0), STORE_DONE);
    stage_unfinished();
    cr_assert_eq(stage_last.task.attempts_count, STORE_ATTEMPTS_MOST);
    cr_assert_eq(stage_last.first_attempt.attempt, 20 - STORE_ATTEMPTS_MOST + 1);
    cr_assert_eq(stage_last.last_attempt.attempt, 20);
    cr_assert_eq(stage_last.task.charged, 20);
    stage_close();
}

void conformance_delayed_tasks_come_earliest_first_page_by_page(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t a = stage_job("A"), b = stage_job("B");
    stage_delayed(b, "noop", 100);
    stage_delayed(a, "noop", 300);
    stage_tasks(a, "noop", NULL, 1);
    stage_delayed(a, "noop", 100);
    stage_delayed(a, "noop", 200);
    stage_delayed(b, "noop", 900);
    cr_assert_str_eq(stage_due(500, 2, false), "1/2 2/0");
    cr_assert_eq(stage_last.task.due_wall_ns, 100);
    cr_assert_str_eq(stage_due(500, 2, true), "1/3 1/0");
    cr_assert_str_eq(stage_due(500, 2, true), "");
    cr_assert_str_eq(stage_due(900, 9, false), "1/2 2/0 1/3 1/0 2/1");
    cr_assert_eq(stage_counts().delayed, 5);
    stage_close();
}

void conformance_a_retry_moves_the_due_time(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_delayed(job, "noop", 100);
    stage_delayed(job, "noop", 150);
    stage_tasks(job, "noop", NULL, 1);
    cr_assert_eq(stage_retry(job, 0, 1, true, 200), STORE_DONE);
    cr_assert_eq(stage_retry(job, 2, 1, true, 50), STORE_DONE);
    cr_assert_str_eq(stage_due(500, 9, false), "1/2 1/1 1/0");
    cr_assert_eq(stage_retry(job, 0, 2, true, 0), STORE_DONE);
    cr_assert_str_eq(stage_due(500, 9, false), "1/2 1/1");
    cr_assert_str_eq(stage_unfinished(), "1/0 1/1 1/2");
    stage_close();
}

void conformance_an_ended_task_is_not_due(const char *backend)
{
    stage_open(backend, 10, 10);
    uint64_t job = stage_job("A");
    stage_delayed(job, "noop", 100);
    stage_delayed(job, "noop", 100);
    cr_assert_eq(stage_end_as(job, 0, STORE_CANCELLED), STORE_DONE);
    cr_assert_str_eq(stage_due(500, 9, false), "1/1");
    cr_assert_eq(stage_counts().delayed, 1);
    stage_close();
}

void conformance_a_job_is_found_by_its_id(const char *backend)
{
    stage_open(backend, 0, 0);
    stage_job("A");
    uint64_t b = stage_job("B");
    cr_assert(stage_find_job("B"));
    cr_assert_eq(stage_last_job.key, b);
    cr_assert_str_eq(stage_last_job.given.name, "nightly");
    cr_assert_str_eq(stage_last_job.given.file, "nightly.yaml");
    cr_assert_eq(stage_last_job.given.document, 2);
    cr_assert_eq(stage_last_job.given.max_weight, 50);
    cr_assert(stage_last_job.given.fail_fast);
    cr_assert_not(stage_find_job("C"));
    stage_close();
}

void conformance_a_job_keeps_how_it_was_sent(const char *backend)
{
    stage_open(backend, 10, 10);
    stage_job("A");
    stage_origin = "by hand, 1 of 2";
    uint64_t b = stage_job("B");
    stage_origin = NULL;
    stage_tasks(b, "noop", NULL, 1);
    stage_seal(b);
    cr_assert(stage_find_job("A"));
    cr_assert_null(stage_last_job.given.origin);
    cr_assert(stage_find_job("B"));
    cr_assert_str_eq(stage_last_job.given.origin, "by hand, 1 of 2");
    stage_end_as(b, 0, STORE_FAILED);
    cr_assert_str_eq(stage_requeue((struct store_query){.job = b}), "2/0");
    cr_assert(stage_find_job("B"));
    cr_assert_str_eq(stage_last_job.given.origin, "by hand, 1 of 2");
    stage_close();
}

void conformance_a_job_counts_its_tasks_by_state(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 5);
    stage_end_as(job, 0, STORE_SUCCEEDED);
    stage_end_as(job, 1, STORE_SUCCEEDED);
    stage_end_as(job, 2, STORE_TIMED_OUT);
    cr_assert(stage_find_job("A"));
    cr_assert_eq(stage_last_job.tasks_count, 5);
    cr_assert_not(stage_last_job.sealed);
    cr_assert_eq(stage_last_job.by_state[STORE_UNFINISHED], 2);
    cr_assert_eq(stage_last_job.by_state[STORE_SUCCEEDED], 2);
    cr_assert_eq(stage_last_job.by_state[STORE_TIMED_OUT], 1);
    stage_close();
}

void conformance_a_job_id_is_taken_once(const char *backend)
{
    struct store_job_given given = {.id = "A", .name = "", .file = ""};
    struct error error;
    uint64_t key;
    stage_open(backend, 0, 0);
    stage_job("A");
    cr_assert_not(store_add_job(stage, &given, &key, &error));
    cr_assert_str_eq(error.code, "duplicate_id");
    stage_close();
}

void conformance_a_job_that_comes_whole_is_sealed_and_ends_with_its_task(const char *backend)
{
    struct store_whole more[] = {{.given = {.id = "B", .name = "", .file = ""}},
                                 {.given = {.id = "A", .name = "", .file = ""}},
                                 {.given = {.id = "C", .name = "", .file = ""}}};
    struct error error;
    stage_open(backend, 10, 0);
    uint64_t job = stage_whole("A", "noop");
    cr_assert(stage_find_job("A"));
    cr_assert(stage_last_job.sealed);
    cr_assert_eq(stage_last_job.tasks_count, 1);
    cr_assert_eq(stage_last_job.by_state[STORE_UNFINISHED], 1);
    cr_assert_not(store_add_wholes(stage, more, 3, &error));
    cr_assert_str_eq(error.code, "duplicate_id");
    cr_assert_neq(more[0].key, 0, "what comes before it is in");
    cr_assert_eq(more[2].key, 0);
    cr_assert_not(stage_find_job("C"));
    cr_assert_eq(stage_end_as(job, 0, STORE_SUCCEEDED), STORE_DONE);
    cr_assert(stage_find_job("A"));
    cr_assert_eq(stage_last_job.by_state[STORE_SUCCEEDED], 1);
    stage_close();
}

void conformance_a_job_that_is_over_is_gone_if_nothing_is_kept(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2);
    stage_end_as(job, 0, STORE_SUCCEEDED);
    stage_seal(job);
    cr_assert(stage_find_job("A"));
    stage_end_as(job, 1, STORE_FAILED);
    cr_assert_not(stage_find_job("A"));
    cr_assert_eq(stage_counts().jobs, 0);
    cr_assert_gt(stage_job("A"), job);
    stage_close();
}

void conformance_an_empty_job_is_over_when_it_is_sealed(const char *backend)
{
    stage_open(backend, 0, 0);
    stage_seal(stage_job("A"));
    cr_assert_not(stage_find_job("A"));
    stage_close();
}

void conformance_jobs_that_are_over_are_kept_up_to_the_limit(const char *backend)
{
    char id[8];
    stage_open(backend, 2, 0);
    for (int i = 0; i < 4; i++) {
        snprintf(id, sizeof(id), "J%d", i);
        uint64_t job = stage_job(id);
        stage_tasks(job, "noop", NULL, 1);
        stage_seal(job);
        stage_end_as(job, 0, STORE_SUCCEEDED);
    }
    cr_assert_not(stage_find_job("J1"));
    cr_assert(stage_find_job("J2"));
    cr_assert(stage_find_job("J3"));
    cr_assert_eq(stage_counts().jobs, 2);
    stage_close();
}

void conformance_finished_tasks_are_kept_up_to_the_limit_and_the_rest_counted(const char *backend)
{
    stage_open(backend, 3, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 10);
    for (uint32_t i = 0; i < 8; i++)
        cr_assert_eq(stage_end_as(job, i, STORE_SUCCEEDED), STORE_DONE);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)}),
                     "1/5 1/6 1/7");
    cr_assert_eq(stage_counts().finished_dropped, 5);
    cr_assert_eq(stage_counts().by_state[STORE_SUCCEEDED], 3);
    cr_assert_str_eq(stage_unfinished(), "1/8 1/9");
    stage_close();
}

void conformance_dead_letters_are_kept_up_to_their_bytes_and_the_rest_counted(const char *backend)
{
    static char message[4000];
    memset(message, 'x', sizeof(message) - 1);
    stage_open_with(backend, (struct store_options){.dead_max = 100, .dead_max_bytes = 10000});
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 5);
    for (uint32_t i = 0; i < 5; i++) {
        struct store_end end = stage_end_of(job, i, STORE_FAILED);
        end.how.message = message;
        cr_assert_eq(stage_end(end), STORE_DONE);
    }
    struct store_counts counts = stage_counts();
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/3 1/4");
    cr_assert_eq(counts.dead_dropped, 3);
    cr_assert_leq(counts.dead_bytes, 10000);
    cr_assert_geq(counts.dead_bytes, 8000);
    stage_close();
}

static uint64_t dead_bytes_after_attempts(uint64_t job, uint32_t number, uint32_t attempts)
{
    for (uint32_t attempt = 1; attempt < attempts; attempt++)
        cr_assert_eq(stage_retry(job, number, attempt, true, 0), STORE_DONE);
    struct store_end end = stage_end_of(job, number, STORE_FAILED);
    end.name.attempt = attempts;
    cr_assert_eq(stage_end(end), STORE_DONE);
    return stage_counts().dead_bytes;
}

void conformance_forgotten_attempts_take_no_bytes(const char *backend)
{
    stage_open(backend, 0, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2);
    uint64_t of_one = dead_bytes_after_attempts(job, 0, 30);
    cr_assert_eq(dead_bytes_after_attempts(job, 1, 90), 2 * of_one);
    stage_close();
}

void conformance_an_end_keeps_its_story(const char *backend)
{
    stage_open(backend, 10, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "hash", "sh", 1);
    stage_retry(job, 0, 1, true, 0);
    struct store_end end = stage_end_of(job, 0, STORE_CRASHED);
    end.name.attempt = 2;
    end.how.reason = "signal";
    end.how.message = "SIGSEGV";
    end.outputs = "digest\0abc";
    end.outputs_bytes = 11;
    cr_assert_eq(stage_end(end), STORE_DONE);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_CRASHED)}), "1/0");
    cr_assert_eq(stage_last.task.attempts_count, 2);
    cr_assert_eq(stage_last.task.charged, 2);
    cr_assert_eq(stage_last.last_attempt.attempt, 2);
    cr_assert_eq(stage_last.last_attempt.started_wall_ns, 2000);
    cr_assert_eq(stage_last.last_attempt.ended_wall_ns, 3000);
    cr_assert_str_eq(stage_last.reason, "signal");
    cr_assert_str_eq(stage_last.message, "SIGSEGV");
    cr_assert_arr_eq(stage_last.outputs, "digest\0abc", 11);
    cr_assert_str_eq(stage_last.id, "hash-0");
    cr_assert_str_eq(stage_last.label, "region=sh");
    cr_assert_str_eq(stage_last.params, "params of 0");
    stage_close();
}

void conformance_outputs_that_are_too_large_are_not_kept(const char *backend)
{
    stage_open_with(backend, (struct store_options){.finished_max = 10, .outputs_max_bytes = 8});
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2);
    struct store_end end = stage_end_of(job, 0, STORE_SUCCEEDED);
    end.outputs = "a\0bcdefg";
    end.outputs_bytes = 9;
    cr_assert_eq(stage_end(end), STORE_DONE);
    stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)});
    cr_assert_null(stage_last.task.outputs);
    cr_assert_eq(stage_last.task.outputs_bytes, 0);
    stage_close();
}

void conformance_a_smaller_limit_forgets_the_oldest_at_once(const char *backend)
{
    stage_open(backend, 10, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 5);
    for (uint32_t i = 0; i < 4; i++)
        stage_end_as(job, i, STORE_SUCCEEDED);
    store_set_finished_max(stage, 2);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)}),
                     "1/2 1/3");
    stage_end_as(job, 4, STORE_SUCCEEDED);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)}),
                     "1/3 1/4");
    stage_close();
}

void conformance_a_much_smaller_limit_keeps_the_latest(const char *backend)
{
    stage_open(backend, 2000, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2000);
    for (uint32_t i = 0; i < 2000; i++)
        stage_end_as(job, i, STORE_SUCCEEDED);
    store_set_finished_max(stage, 2);
    cr_assert_str_eq(stage_visit((struct store_query){.job = job}), "1/1998 1/1999");
    cr_assert_eq(stage_counts().finished_dropped, 1998);
    store_set_finished_max(stage, UINT64_MAX);
    store_set_finished_max(stage, 0);
    cr_assert_str_eq(stage_visit((struct store_query){.job = job}), "");
    stage_close();
}

static void open_with_logs(const char *backend, uint64_t log_max_bytes)
{
    stage_open_with(
        backend,
        (struct store_options){.finished_max = 10, .dead_max = 10, .log_max_bytes = log_max_bytes});
}

void conformance_a_log_is_kept_with_its_task(const char *backend)
{
    open_with_logs(backend, 100);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2);
    cr_assert_eq(stage_write_log(job, 1, 1, "one\n"), STORE_DONE);
    cr_assert_eq(stage_retry(job, 1, 1, true, 500), STORE_DONE);
    cr_assert_eq(stage_write_log(job, 1, 2, "two\nthree"), STORE_DONE);
    stage_unfinished();
    cr_assert_str_eq(stage_last.log, "one\ntwo\nthree");
    struct store_end end = stage_end_of(job, 1, STORE_FAILED);
    end.name.attempt = 2;
    cr_assert_eq(stage_end(end), STORE_DONE);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/1");
    cr_assert_str_eq(stage_last.log, "one\ntwo\nthree");
    cr_assert_eq(stage_last.task.log_dropped_bytes, 0);
    stage_close();
}

void conformance_a_long_log_keeps_its_end_from_the_start_of_a_line(const char *backend)
{
    char line[16];
    open_with_logs(backend, 20);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2);
    for (int i = 100; i < 200; i++) {
        snprintf(line, sizeof(line), "line %d\n", i);
        cr_assert_eq(stage_write_log(job, 1, 1, line), STORE_DONE);
    }
    stage_unfinished();
    cr_assert_str_eq(stage_last.log, "line 198\nline 199\n");
    cr_assert_eq(stage_last.task.log_dropped_bytes, 98 * 9);

    stage_write_log(job, 1, 1, "aaaa\nbbbbbbbbb\ncccccccccc");
    stage_unfinished();
    cr_assert_str_eq(stage_last.log, "bbbbbbbbb\ncccccccccc");
    stage_write_log(job, 1, 1, "c");
    stage_unfinished();
    cr_assert_str_eq(stage_last.log, "ccccccccccc");
    stage_write_log(job, 1, 1, "0123456789012345678901234567890123456789");
    stage_unfinished();
    cr_assert_str_eq(stage_last.log, "01234567890123456789");
    stage_close();
}

void conformance_logs_that_are_written_by_turns_are_kept_apart(const char *backend)
{
    enum { TASKS = 20, TURNS = 30 };
    char line[16];
    open_with_logs(backend, 20);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, TASKS + 1);
    for (int turn = 0; turn < TURNS; turn++)
        for (uint32_t i = 0; i < TASKS; i++) {
            snprintf(line, sizeof(line), "%d of %d\n", turn + 100, (int)i + 100);
            cr_assert_eq(stage_write_log(job, i, 1, line), STORE_DONE);
        }
    for (uint32_t i = 0; i < TASKS; i++) {
        char wanted[32];
        snprintf(wanted, sizeof(wanted), "129 of %d\n", (int)i + 100);
        cr_assert_eq(stage_end_as(job, i, STORE_FAILED), STORE_DONE);
        stage_visit((struct store_query){.states = STORE_DEAD_SET});
        cr_assert_str_eq(stage_last.log, wanted);
        cr_assert_eq(stage_last.task.log_dropped_bytes, (TURNS - 1) * 11);
    }
    stage_close();
}

void conformance_a_log_takes_nothing_from_another_attempt(const char *backend)
{
    open_with_logs(backend, 100);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2);
    cr_assert_eq(stage_write_log(job, 1, 2, "late"), STORE_STALE);
    cr_assert_eq(stage_write_log(job, 2, 1, "lost"), STORE_UNKNOWN);
    stage_unfinished();
    cr_assert_str_eq(stage_last.log, "");
    stage_close();
}

void conformance_no_log_is_kept_if_none_is_to_be_kept(const char *backend)
{
    open_with_logs(backend, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    cr_assert_eq(stage_write_log(job, 0, 1, "gone"), STORE_DONE);
    stage_unfinished();
    cr_assert_str_eq(stage_last.log, "");
    stage_close();
}

/* A job of eight tasks, half of them ended: 0-2 noop, 3-5 hash in sh, 6-7 hash in bj. */
static uint64_t mixed_job(const char *backend)
{
    stage_open(backend, 100, 100);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 3);
    stage_tasks(job, "hash", "sh", 3);
    stage_tasks(job, "hash", "bj", 2);
    stage_end_as(job, 0, STORE_SUCCEEDED);
    struct store_end end = stage_end_of(job, 1, STORE_FAILED);
    end.how.reason = "exit_nonzero";
    stage_end(end);
    end = stage_end_of(job, 4, STORE_FAILED);
    end.how.reason = "no_such_file";
    end.how.ended_wall_ns = 5000;
    stage_end(end);
    end = stage_end_of(job, 6, STORE_TIMED_OUT);
    end.how.reason = "timed_out";
    end.how.ended_wall_ns = 6000;
    stage_end(end);
    return job;
}

void conformance_a_query_finds_by_state(const char *backend)
{
    uint64_t job = mixed_job(backend);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)}),
                     "1/0");
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/1 1/4 1/6");
    cr_assert_str_eq(stage_unfinished(), "1/2 1/3 1/5 1/7");
    cr_assert_str_eq(stage_visit((struct store_query){.job = job}),
                     "1/0 1/1 1/2 1/3 1/4 1/5 1/6 1/7");
    cr_assert_str_eq(stage_visit((struct store_query){.job = job + 1}), "");
    stage_close();
}

void conformance_a_query_finds_by_type_label_and_id(const char *backend)
{
    mixed_job(backend);
    cr_assert_str_eq(stage_visit((struct store_query){.type = "noop"}), "1/0 1/1 1/2");
    cr_assert_str_eq(stage_visit((struct store_query){.label = "region"}), "1/3 1/4 1/5 1/6 1/7");
    cr_assert_str_eq(stage_visit((struct store_query){.label = "region", .label_value = "bj"}),
                     "1/6 1/7");
    cr_assert_str_eq(stage_visit((struct store_query){.id = "noop-2"}), "1/2");
    cr_assert_str_eq(stage_visit((struct store_query){.label = "colour"}), "");
    stage_close();
}

void conformance_a_query_finds_by_reason_and_time(const char *backend)
{
    mixed_job(backend);
    cr_assert_str_eq(stage_visit((struct store_query){.reason = "exit_nonzero"}), "1/1");
    cr_assert_str_eq(stage_visit((struct store_query){.since_wall_ns = 5000}), "1/4 1/6");
    cr_assert_str_eq(stage_visit((struct store_query){
                         .since_wall_ns = 5000, .type = "hash", .reason = "timed_out"}),
                     "1/6");
    stage_close();
}

void conformance_a_query_finds_an_id_in_a_long_job_whatever_becomes_of_it(const char *backend)
{
    uint64_t count;
    stage_open(backend, 2, 100);
    uint64_t job = stage_job("A"), other = stage_job("B");
    stage_tasks(job, "noop", NULL, 1000);
    stage_tasks(other, "noop", NULL, 1000);
    struct store_query query = {.job = job, .id = "noop-700", .limit = 1};
    cr_assert_str_eq(stage_visit(query), "1/700");
    stage_end_as(job, 700, STORE_FAILED);
    cr_assert_str_eq(stage_visit(query), "1/700");
    cr_assert_eq(stage_last.task.state, STORE_FAILED);
    cr_assert_str_eq(stage_requeue(query), "1/700");
    cr_assert_str_eq(stage_visit(query), "1/700");
    query.states = STORE_DEAD_SET;
    cr_assert_str_eq(stage_visit(query), "");
    query.id = "noop-800";
    stage_end_as(job, 800, STORE_FAILED);
    cr_assert_str_eq(stage_visit(query), "1/800");
    cr_assert(store_drop(stage, &query, &count, NULL));
    query.states = 0;
    cr_assert_str_eq(stage_visit(query), "");
    stage_tasks(job, "hash", NULL, 500);
    query.id = "hash-499";
    cr_assert_str_eq(stage_visit(query), "1/1499");
    query.id = "noop-900";
    for (uint32_t i = 900; i < 903; i++)
        stage_end_as(job, i, STORE_SUCCEEDED);
    cr_assert_str_eq(stage_visit(query), "");
    query.job = other;
    cr_assert_str_eq(stage_visit(query), "2/900");
    stage_close();
}

void conformance_a_query_goes_on_behind_a_position(const char *backend)
{
    uint64_t a = mixed_job(backend), b = stage_job("B");
    stage_tasks(b, "noop", NULL, 2);
    struct store_query query = {.states = STORE_SET(STORE_UNFINISHED), .limit = 3};
    cr_assert_str_eq(stage_visit(query), "1/2 1/3 1/5");
    query.resume = true;
    query.after = (struct store_position){a, 5};
    cr_assert_str_eq(stage_visit(query), "1/7 2/0 2/1");
    query.after = (struct store_position){b, 0};
    cr_assert_str_eq(stage_visit(query), "2/1");
    query.after = (struct store_position){b, 1};
    cr_assert_str_eq(stage_visit(query), "");
    query.job = b;
    query.after = (struct store_position){a, 5};
    cr_assert_str_eq(stage_visit(query), "2/0 2/1");
    stage_close();
}

void conformance_a_visit_ends_when_the_visitor_has_enough(const char *backend)
{
    mixed_job(backend);
    cr_assert_str_eq(stage_visit_at_most((struct store_query){.job = 0}, 2), "1/0 1/1");
    stage_close();
}

void conformance_dead_letters_are_requeued_as_new_attempts(const char *backend)
{
    uint64_t job = mixed_job(backend);
    cr_assert_str_eq(stage_requeue((struct store_query){.type = "hash"}), "1/4 1/6");
    cr_assert_eq(stage_last.task.attempt, 2);
    cr_assert_eq(stage_last.task.charged, 0);
    cr_assert_eq(stage_last.task.state, STORE_UNFINISHED);
    cr_assert_str_eq(stage_last.reason, "timed_out");
    cr_assert_str_eq(stage_last.label, "region=bj");
    cr_assert_str_eq(stage_unfinished(), "1/2 1/3 1/4 1/5 1/6 1/7");
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/1");
    cr_assert_eq(stage_end_as(job, 4, STORE_SUCCEEDED), STORE_STALE);
    stage_close();
}

void conformance_a_requeued_task_ends_like_any_other(const char *backend)
{
    stage_open(backend, 0, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    stage_seal(job);
    stage_end_as(job, 0, STORE_FAILED);
    cr_assert(stage_find_job("A"));
    cr_assert_str_eq(stage_requeue((struct store_query){.job = job}), "1/0");
    struct store_end end = stage_end_of(job, 0, STORE_SUCCEEDED);
    end.name.attempt = 2;
    cr_assert_eq(stage_end(end), STORE_DONE);
    cr_assert_not(stage_find_job("A"));
    stage_close();
}

/* A job of one task that has ended so, and all of the job with it. */
static uint64_t job_of_one(const char *id, enum store_state state)
{
    uint64_t job = stage_job(id);
    stage_tasks(job, "noop", NULL, 1);
    stage_seal(job);
    stage_end_as(job, 0, state);
    return job;
}

void conformance_a_requeued_job_is_kept_from_its_new_end_on(const char *backend)
{
    uint64_t count;
    stage_open(backend, 2, 10);
    uint64_t a = job_of_one("A", STORE_FAILED);
    job_of_one("B", STORE_SUCCEEDED);
    stage_requeue((struct store_query){.job = a});
    struct store_end end = stage_end_of(a, 0, STORE_FAILED);
    end.name.attempt = 2;
    cr_assert_eq(stage_end(end), STORE_DONE);
    cr_assert(store_drop(stage, &(struct store_query){.job = a}, &count, NULL));
    cr_assert(stage_find_job("A"));
    job_of_one("C", STORE_FAILED);
    cr_assert(store_prune(stage, 1, &count, NULL));
    cr_assert(stage_find_job("A"));
    job_of_one("D", STORE_SKIPPED);
    cr_assert_not(stage_find_job("A"));
    stage_close();
}

void conformance_requeueing_stops_at_the_limit(const char *backend)
{
    mixed_job(backend);
    cr_assert_str_eq(stage_requeue((struct store_query){.limit = 2}), "1/1 1/4");
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/6");
    stage_close();
}

void conformance_dead_letters_are_requeued_by_their_places(const char *backend)
{
    uint64_t job = mixed_job(backend);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/1 1/4 1/6");
    cr_assert_str_eq(stage_requeue_at(job, (const uint32_t[]){0, 1, 2, 6, 99}, 5), "1/1 1/6");
    cr_assert_eq(stage_last.task.attempt, 2);
    cr_assert_eq(stage_last.task.state, STORE_UNFINISHED);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/4");
    cr_assert_str_eq(stage_requeue_at(job, (const uint32_t[]){1}, 1), "");
    cr_assert_str_eq(stage_requeue_at(job + 7, (const uint32_t[]){4}, 1), "");
    cr_assert_str_eq(stage_requeue_at(job, NULL, 0), "");
    stage_close();
}

void conformance_a_job_that_was_stopped_goes_on_with_what_is_requeued(const char *backend)
{
    stage_open(backend, 0, 10);
    uint64_t job = job_of_one("A", STORE_FAILED);
    cr_assert(store_stop_job(stage, job, NULL));
    cr_assert(store_commit(stage, NULL));
    cr_assert(stage_find_job("A"));
    cr_assert(stage_last_job.stopped);
    cr_assert_str_eq(stage_requeue((struct store_query){.job = job}), "1/0");
    cr_assert(stage_find_job("A"));
    cr_assert_not(stage_last_job.stopped);
    cr_assert(store_stop_job(stage, job, NULL));
    cr_assert(stage_find_job("A"));
    cr_assert(stage_last_job.stopped);
    stage_close();
}

void conformance_dead_letters_are_dropped_by_query(const char *backend)
{
    uint64_t count;
    mixed_job(backend);
    struct store_query query = {.reason = "timed_out"};
    cr_assert(store_drop(stage, &query, &count, NULL));
    cr_assert_eq(count, 1);
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/1 1/4");
    cr_assert_eq(stage_counts().by_state[STORE_TIMED_OUT], 0);
    stage_close();
}

struct dead_types {
    size_t types;
    uint64_t noop, hash;
};

static bool see_dead_type(void *context, const char *type, uint64_t count)
{
    struct dead_types *seen = context;
    seen->types++;
    cr_assert_gt(count, 0);
    *(strcmp(type, "noop") == 0 ? &seen->noop : &seen->hash) += count;
    return true;
}

static void expect_dead_types(size_t types, uint64_t noop, uint64_t hash)
{
    struct dead_types seen = {0};
    cr_assert(store_visit_dead_types(stage, see_dead_type, &seen, NULL));
    cr_assert_eq(seen.types, types, "%zu types", seen.types);
    cr_assert_eq(seen.noop, noop);
    cr_assert_eq(seen.hash, hash);
}

void conformance_dead_letters_are_counted_by_type(const char *backend)
{
    uint64_t count, job = mixed_job(backend);
    expect_dead_types(2, 1, 2);
    stage_requeue((struct store_query){.job = job, .type = "hash", .limit = 1});
    expect_dead_types(2, 1, 1);
    cr_assert(store_drop(stage, &(struct store_query){.type = "noop"}, &count, NULL));
    expect_dead_types(1, 0, 1);
    stage_end_as(job, 5, STORE_SUCCEEDED);
    stage_end_as(job, 7, STORE_CANCELLED);
    expect_dead_types(1, 0, 1);
    stage_end_as(job, 2, STORE_CRASHED);
    expect_dead_types(2, 1, 1);
    stage_close();
}

void conformance_dead_letters_that_are_given_up_are_not_counted_by_type(const char *backend)
{
    stage_open(backend, 0, 2);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 2);
    stage_tasks(job, "hash", NULL, 2);
    for (uint32_t i = 0; i < 3; i++)
        stage_end_as(job, i, STORE_FAILED);
    expect_dead_types(2, 1, 1);
    stage_end_as(job, 3, STORE_FAILED);
    expect_dead_types(1, 0, 2);
    stage_close();
}

void conformance_only_dead_letters_are_dropped_or_requeued(const char *backend)
{
    uint64_t count;
    mixed_job(backend);
    struct store_query query = {.states = STORE_SET(STORE_SUCCEEDED) | STORE_SET(STORE_UNFINISHED)};
    cr_assert(store_drop(stage, &query, &count, NULL));
    cr_assert_eq(count, 0);
    cr_assert_str_eq(stage_requeue(query), "");
    query = (struct store_query){.job = 0};
    cr_assert(store_drop(stage, &query, &count, NULL));
    cr_assert_eq(count, 3);
    cr_assert_str_eq(stage_visit(query), "1/0 1/2 1/3 1/5 1/7");
    stage_close();
}

void conformance_old_finished_tasks_are_pruned_and_dead_letters_stay(const char *backend)
{
    uint64_t count;
    mixed_job(backend);
    uint64_t b = stage_job("B");
    stage_tasks(b, "noop", NULL, 2);
    stage_seal(b);
    stage_end_as(b, 0, STORE_SUCCEEDED);
    struct store_end late = stage_end_of(b, 1, STORE_SUCCEEDED);
    late.how.ended_wall_ns = 9000;
    stage_end(late);

    cr_assert(store_prune(stage, 9000, &count, NULL));
    cr_assert_eq(count, 2);
    cr_assert(stage_find_job("B"));
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)}),
                     "2/1");
    cr_assert_str_eq(stage_visit((struct store_query){.states = STORE_DEAD_SET}), "1/1 1/4 1/6");
    cr_assert(store_prune(stage, 9001, &count, NULL));
    cr_assert_eq(count, 1);
    cr_assert_not(stage_find_job("B"));
    stage_close();
}

void conformance_many_old_tasks_and_jobs_are_pruned_at_once(const char *backend)
{
    char id[16];
    uint64_t count;
    stage_open(backend, 1000, 0);
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof(id), "J%d", i);
        uint64_t job = stage_job(id);
        stage_tasks(job, "noop", NULL, 2);
        stage_seal(job);
        stage_end_as(job, 0, STORE_SUCCEEDED);
        stage_end_as(job, 1, STORE_SKIPPED);
    }
    cr_assert(store_prune(stage, 9000, &count, NULL));
    cr_assert_eq(count, 600);
    cr_assert_eq(stage_counts().jobs, 0);
    stage_close();
}

void conformance_a_key_belongs_to_the_first_that_claims_it(const char *backend)
{
    char holder[STORE_HOLDER_BYTES];
    stage_open(backend, 0, 0);
    cr_assert(store_claim(stage, "nightly", "A:1", holder, NULL));
    cr_assert_str_eq(holder, "");
    cr_assert(store_claim(stage, "nightly", "B:1", holder, NULL));
    cr_assert_str_eq(holder, "A:1");
    cr_assert(store_claim(stage, "nightly", "A:1", holder, NULL));
    cr_assert_str_eq(holder, "A:1");
    cr_assert(store_claim(stage, "weekly", "B:1", holder, NULL));
    cr_assert_str_eq(holder, "");
    cr_assert_eq(stage_counts().claims, 2);
    stage_close();
}

void conformance_a_key_is_released_only_by_its_holder(const char *backend)
{
    char holder[STORE_HOLDER_BYTES];
    stage_open(backend, 0, 0);
    cr_assert(store_claim(stage, "nightly", "A:1", holder, NULL));
    cr_assert(store_release(stage, "nightly", "B:1", NULL));
    cr_assert(store_release(stage, "unheard of", "B:1", NULL));
    cr_assert(store_claim(stage, "nightly", "B:1", holder, NULL));
    cr_assert_str_eq(holder, "A:1");
    cr_assert(store_release(stage, "nightly", "A:1", NULL));
    cr_assert(store_claim(stage, "nightly", "B:1", holder, NULL));
    cr_assert_str_eq(holder, "");
    stage_close();
}

void conformance_keys_are_limited(const char *backend)
{
    char holder[STORE_HOLDER_BYTES];
    struct error error;
    stage_open_with(backend, (struct store_options){.claims_max = 1});
    cr_assert(store_claim(stage, "one", "A:1", holder, NULL));
    cr_assert_not(store_claim(stage, "two", "A:2", holder, &error));
    cr_assert_str_eq(error.code, "claims_full");
    cr_assert(store_claim(stage, "one", "A:2", holder, NULL));
    cr_assert_str_eq(holder, "A:1");
    stage_close();
}

void conformance_counts_say_what_is_there(const char *backend)
{
    mixed_job(backend);
    stage_delayed(stage_job("B"), "noop", 100);
    struct store_counts counts = stage_counts();
    cr_assert_eq(counts.jobs, 2);
    cr_assert_eq(counts.by_state[STORE_UNFINISHED], 5);
    cr_assert_eq(counts.by_state[STORE_SUCCEEDED], 1);
    cr_assert_eq(counts.by_state[STORE_FAILED], 2);
    cr_assert_eq(counts.by_state[STORE_TIMED_OUT], 1);
    cr_assert_eq(counts.delayed, 1);
    cr_assert_gt(counts.finished_bytes, 0);
    cr_assert_gt(counts.dead_bytes, 0);
    cr_assert_eq(counts.finished_dropped, 0);
    stage_close();
}

struct heard {
    struct store_wait wait;
    struct mutex lock;
    struct cond changed;
    bool is_done, durable;
};

static void hear(struct store_wait *wait, const struct store_told *told)
{
    struct heard *heard = (struct heard *)wait;
    MUTEX_GUARD(&heard->lock);
    heard->is_done = true;
    heard->durable = told->is_durable;
    cond_signal(&heard->changed);
}

void conformance_who_waits_for_a_job_hears_that_it_is_durable(const char *backend)
{
    stage_open(backend, 0, 0);
    struct heard heard = {.wait = {.job = stage_job("A"), .done = hear}};
    mutex_init(&heard.lock);
    cond_init(&heard.changed);
    stage_tasks(heard.wait.job, "noop", NULL, 300);
    stage_seal(heard.wait.job);
    store_when_durable(stage, &heard.wait);
    mutex_lock(&heard.lock);
    while (!heard.is_done)
        cond_wait(&heard.changed, &heard.lock);
    mutex_unlock(&heard.lock);
    cr_assert(heard.durable);
    cr_assert(store_is_well(stage, NULL));
    stage_close();
}

void conformance_a_stopped_job_says_so(const char *backend)
{
    stage_open(backend, 0, 0);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    cr_assert(stage_find_job("A"));
    cr_assert_not(stage_last_job.stopped);
    cr_assert(store_stop_job(stage, job, NULL));
    cr_assert(stage_find_job("A"));
    cr_assert(stage_last_job.stopped);
    stage_close();
}

static bool note_place(void *context, const struct store_task *task)
{
    size_t length = strlen(stage_seen);
    (void)context;
    snprintf(stage_seen + length, sizeof(stage_seen) - length, "%u/%u%s ", (unsigned)task->job->key,
             task->number, task->state == STORE_SUCCEEDED ? "+" : "");
    return true;
}

void conformance_tasks_are_recalled_by_their_places(const char *backend)
{
    stage_open(backend, 10, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 4);
    cr_assert_eq(stage_end_as(job, 2, STORE_SUCCEEDED), STORE_DONE);
    const struct store_position at[] = {{job, 9},          {job, 2}, {job + 1, 2}, {0, 2},
                                        {job, UINT32_MAX}, {job, 1}, {job, 2}};
    stage_seen[0] = '\0';
    cr_assert(store_recall(stage, &(struct store_places){at, 7}, note_place, NULL, NULL));
    cr_assert_str_eq(stage_seen, "1/2+ 1/1 1/2+ ");
    cr_assert(store_recall(stage, &(struct store_places){at, 0}, note_place, NULL, NULL));
    cr_assert_str_eq(stage_seen, "1/2+ 1/1 1/2+ ");
    stage_close();
}

void conformance_a_forgotten_job_leaves_nothing(const char *backend)
{
    stage_open(backend, 10, 10);
    uint64_t a = stage_job("A"), b = stage_job("B");
    stage_tasks(a, "noop", NULL, 5);
    stage_delayed(a, "noop", 5000);
    stage_tasks(b, "noop", NULL, 1);
    cr_assert_eq(stage_end_as(a, 0, STORE_SUCCEEDED), STORE_DONE);
    cr_assert_eq(stage_end_as(a, 1, STORE_FAILED), STORE_DONE);
    cr_assert(store_forget_job(stage, a, NULL));
    cr_assert(store_forget_job(stage, a, NULL));
    cr_assert_not(stage_find_job("A"));
    cr_assert_str_eq(stage_visit((struct store_query){0}), "2/0");
    struct store_counts counts = stage_counts();
    cr_assert_eq(counts.jobs, 1);
    cr_assert_eq(counts.by_state[STORE_UNFINISHED], 1);
    cr_assert_eq(counts.by_state[STORE_SUCCEEDED], 0);
    cr_assert_eq(counts.by_state[STORE_FAILED], 0);
    cr_assert_eq(counts.delayed, 0);
    stage_close();
}
