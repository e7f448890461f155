#include "desk.h"

#include <string.h>

#include "support/clock.h"
#include "support/thread.h"

TestSuite(outcome, .init = desk_begin, .fini = desk_end);

static void flush(void)
{
    outcome_flush(desk.outcome, &desk.tally);
}

static size_t chunks_back(void)
{
    MUTEX_GUARD(&desk.chunks.lock);
    return desk.chunks.spare_count;
}

Test(outcome, each_verdict_ends_in_its_state)
{
    static const struct {
        enum verdict verdict;
        enum task_state state;
    } table[] = {
        {VERDICT_OK, TASK_SUCCEEDED},
        {VERDICT_FAILED, TASK_FAILED},
        {VERDICT_FAILED_FOR_GOOD, TASK_FAILED},
        {VERDICT_TIMED_OUT, TASK_TIMED_OUT},
        {VERDICT_CANCELLED, TASK_CANCELLED},
        {VERDICT_TRY_AGAIN, TASK_CANCELLED}, /* nothing waits any more */
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct task *task = desk_running(0);
        uint32_t before = desk.jobs[0]->ended[table[i].state];
        int said = desk.ended[table[i].state];
        desk_finish(task, table[i].verdict);
        cr_expect_eq(task->state, table[i].state);
        flush();
        cr_expect_eq(desk.jobs[0]->ended[table[i].state], before + 1);
        cr_expect_eq(desk.ended[table[i].state], said + 1);
    }
}

Test(outcome, only_a_running_attempt_can_end, .signal = SIGABRT)
{
    desk_finish(desk_task(0), VERDICT_OK);
}

Test(outcome, counts_nothing_before_it_is_handed_in)
{
    desk_finish(desk_running(0), VERDICT_OK);
    cr_assert_eq(desk.jobs[0]->ended[TASK_SUCCEEDED], 0);
    cr_assert_eq(room_taken(&desk.pending), 1);
    flush();
    cr_assert_eq(desk.jobs[0]->ended[TASK_SUCCEEDED], 1);
    cr_assert_eq(room_taken(&desk.pending), 0);
    flush();
    cr_assert_eq(desk.jobs[0]->ended[TASK_SUCCEEDED], 1);
}

Test(outcome, counts_exactly_over_jobs_chunks_and_states)
{
    for (int i = 0; i < 2000; i++)
        desk_finish(desk_running(i / 7 % 2), i % 3 == 0 ? VERDICT_FAILED : VERDICT_OK);
    flush();
    cr_assert_eq(desk.jobs[0]->ended[TASK_FAILED] + desk.jobs[1]->ended[TASK_FAILED], 667);
    cr_assert_eq(desk.jobs[0]->ended[TASK_SUCCEEDED] + desk.jobs[1]->ended[TASK_SUCCEEDED], 1333);
    cr_assert_eq(desk.jobs[0]->submitted + desk.jobs[1]->submitted, 2000);
    cr_assert_eq(desk.ended[TASK_FAILED], 667);
}

Test(outcome, lets_go_of_the_memory_of_what_has_ended)
{
    for (int i = 0; i < CHUNK_TASKS; i++)
        desk_finish(desk_running(0), VERDICT_OK);
    job_seal(desk.jobs[0]);
    cr_assert_eq(chunks_back(), 0);
    flush();
    cr_assert_eq(chunks_back(), 1);
}

Test(outcome, a_stuck_call_keeps_the_memory_of_its_task_but_not_its_room)
{
    struct task *task = desk_running(0);
    struct attempt attempt = {
        .verdict = VERDICT_TIMED_OUT, .reason = "stuck", .message = "", .memory_stays = true};
    outcome_end(desk.outcome, task, &attempt, &desk.tally);
    flush();
    job_seal(desk.jobs[0]);
    cr_assert_eq(room_taken(&desk.pending), 0);
    cr_assert_eq(chunks_back(), 0);
    chunk_release(task->chunk, 1);
    cr_assert_eq(chunks_back(), 1);
}

Test(outcome, says_that_a_job_is_over_once_and_not_before_its_reader_is_done)
{
    desk_finish(desk_running(0), VERDICT_OK);
    flush();
    cr_assert_eq(desk.overs[0], 0);
    struct task *last = desk_running(0);
    cr_assert_not(job_count_ended(desk.jobs[0], TASK_ACCEPTED, 1));
    desk_finish(last, VERDICT_FAILED);
    cr_assert_eq(desk.overs[0], 0);
    flush();
    cr_assert_eq(desk.overs[0], 1);
    cr_assert_eq(desk.overs[1], 0);
}

Test(outcome, another_job_hands_the_first_one_in)
{
    struct task *first = desk_running(0);
    cr_assert_not(job_count_ended(desk.jobs[0], TASK_ACCEPTED, 1));
    desk_finish(first, VERDICT_OK);
    desk_finish(desk_running(1), VERDICT_OK);
    cr_assert_eq(desk.overs[0], 1);
    cr_assert_eq(desk.jobs[1]->ended[TASK_SUCCEEDED], 0);
    flush();
    cr_assert_eq(desk.jobs[1]->ended[TASK_SUCCEEDED], 1);
}

Test(outcome, the_first_failure_of_a_fail_fast_job_stops_it_once)
{
    desk.jobs[0]->fail_fast = true;
    desk_finish(desk_running(0), VERDICT_OK);
    desk_finish(desk_running(0), VERDICT_CANCELLED);
    cr_assert_eq(desk.stops[0], 0);
    struct task *others[] = {desk_running(0), desk_running(0)};
    desk_finish(others[0], VERDICT_TIMED_OUT);
    cr_assert_eq(desk.jobs[0]->stop, JOB_FAILED_FAST);
    desk_finish(others[1], VERDICT_FAILED);
    flush();
    cr_assert_eq(desk.stops[0], 1);
}

Test(outcome, a_job_without_fail_fast_goes_on_after_failures)
{
    for (int i = 0; i < 10; i++)
        desk_finish(desk_running(0), VERDICT_FAILED);
    flush();
    cr_assert_eq(desk.stops[0], 0);
    cr_assert_eq(desk.jobs[0]->stop, JOB_GOES_ON);
}

Test(outcome, a_job_that_is_cancelled_stays_so_when_a_task_fails)
{
    struct task *task = desk_running(0);
    desk.jobs[0]->fail_fast = true;
    desk.jobs[0]->stop = JOB_STOPPED;
    desk_finish(task, VERDICT_FAILED);
    flush();
    cr_assert_eq(desk.stops[0], 0);
    cr_assert_eq(desk.jobs[0]->stop, JOB_STOPPED);
}

enum { FAILERS = 4, FAILURES = 200 };

struct failer {
    struct thread thread;
    struct task *tasks[FAILURES];
};

static void fail_many(void *argument)
{
    struct failer *failer = argument;
    struct outcome_tally tally;
    outcome_tally_init(&tally);
    for (int i = 0; i < FAILURES; i++) {
        struct attempt attempt = {.verdict = VERDICT_FAILED, .reason = "r", .message = ""};
        outcome_end(desk.outcome, failer->tasks[i], &attempt, &tally);
        if (i % 10 == 9)
            outcome_flush(desk.outcome, &tally);
    }
}

Test(outcome, fails_fast_once_whoever_fails_first)
{
    static struct failer failers[FAILERS];
    desk.hooks.ended = NULL;
    desk_use_hooks();
    desk.jobs[0]->fail_fast = true;
    for (int i = 0; i < FAILERS * FAILURES; i++)
        failers[i % FAILERS].tasks[i / FAILERS] = desk_running(0);
    for (int i = 0; i < FAILERS; i++)
        cr_assert(thread_start(&failers[i].thread, "failer", fail_many, &failers[i], NULL));
    for (int i = 0; i < FAILERS; i++)
        thread_join(&failers[i].thread);
    cr_assert_eq(desk.stops[0], 1);
    cr_assert_eq(desk.jobs[0]->ended[TASK_FAILED], FAILERS * FAILURES);
}

Test(outcome, a_task_that_tries_again_is_neither_counted_nor_charged)
{
    desk.delays = true;
    struct task *task = desk_running(0);
    int64_t before_ns = clock_now_ns();
    for (int i = 0; i < 3; i++) {
        desk_finish(task, VERDICT_TRY_AGAIN);
        cr_assert_eq(desk.delayed, task);
        cr_assert_eq(task->state, TASK_DELAYED);
        cr_assert_geq(desk.delayed_until_ns, before_ns + 5);
        cr_assert_eq(task->attempt, 1);
        task_move(task, TASK_READY);
        task_move(task, TASK_QUEUED);
        task_move(task, TASK_RUNNING);
    }
    flush();
    cr_assert_eq(room_taken(&desk.pending), 1);
    desk_finish(task, VERDICT_OK);
    flush();
    cr_assert_eq(desk.jobs[0]->ended[TASK_SUCCEEDED], 1);
}

Test(outcome, a_task_of_a_job_that_stops_does_not_try_again)
{
    desk.delays = true;
    struct task *task = desk_running(0);
    desk.jobs[0]->stop = JOB_FAILED_FAST;
    desk_finish(task, VERDICT_TRY_AGAIN);
    flush();
    cr_assert_null(desk.delayed);
    cr_assert_eq(desk.jobs[0]->ended[TASK_CANCELLED], 1);
}

TestSuite(outcome_durable, .init = desk_begin_durable, .fini = desk_end);

Test(outcome_durable, a_task_that_tries_again_while_the_host_stops_is_left_to_the_next)
{
    struct store_counts counts;
    struct error error;
    desk.stops_when_asked = true;
    desk_finish(desk_running(0), VERDICT_TRY_AGAIN);
    flush();
    cr_assert(store_count(desk.store, &counts, &error));
    cr_assert_eq(counts.by_state[STORE_UNFINISHED], 1);
    cr_assert_eq(counts.by_state[STORE_CANCELLED], 0);
    cr_assert_eq(desk.jobs[0]->ended[TASK_CANCELLED], 0);
}

Test(outcome, a_delay_for_ever_is_not_over_at_once)
{
    desk.delays = true;
    struct task *task = desk_running(0);
    struct attempt attempt = {.verdict = VERDICT_TRY_AGAIN,
                              .ended_ns = clock_now_ns(),
                              .try_again_ns = INT64_MAX,
                              .reason = "try_again",
                              .message = ""};
    outcome_end(desk.outcome, task, &attempt, &desk.tally);
    cr_assert_eq(desk.delayed_until_ns, CLOCK_NEVER_NS);
    outcome_drop_stopped(desk.outcome, task, &desk.tally);
    flush();
}

static const struct sluice_retry twice = {.attempts = 2, .delay_ns = 1000};

static struct task *retried(void)
{
    struct task *task = desk_running(0);
    task->retry = &twice;
    desk_finish(task, VERDICT_FAILED);
    return task;
}

Test(outcome, a_failure_with_an_attempt_left_is_delayed_and_charged)
{
    desk.delays = true;
    struct task *task = retried();
    flush();
    cr_assert_eq(desk.delayed, task);
    cr_assert_eq(task->attempt, 2);
    cr_assert_eq(task->name, 2);
    cr_assert_leq(desk.delayed_until_ns, clock_now_ns() + 1000);
    cr_assert_eq(desk.ended[TASK_DELAYED], 1);
    cr_assert_eq(desk.ended[TASK_FAILED], 0);
    cr_assert_eq(room_taken(&desk.pending), 1);
    task_move(task, TASK_READY);
    task_move(task, TASK_QUEUED);
    task_move(task, TASK_RUNNING);
    desk_finish(task, VERDICT_FAILED);
    flush();
    cr_assert_eq(desk.jobs[0]->ended[TASK_FAILED], 1);
}

Test(outcome, a_failure_in_a_job_that_stops_is_final)
{
    struct task *task = desk_running(0);
    desk.delays = true;
    task->retry = &twice;
    desk.jobs[0]->stop = JOB_STOPPED;
    desk_finish(task, VERDICT_FAILED);
    flush();
    cr_assert_null(desk.delayed);
    cr_assert_eq(desk.jobs[0]->ended[TASK_FAILED], 1);
}

Test(outcome, a_retry_that_nobody_takes_ends_as_if_it_had_waited)
{
    retried();
    flush();
    cr_assert_eq(desk.jobs[0]->ended[TASK_CANCELLED], 1);
    cr_assert_str_eq(desk.reason, "stopped");
    cr_assert_eq(room_taken(&desk.pending), 0);
}

Test(outcome, a_retry_that_fail_fast_stops_fails_as_its_last_attempt_did)
{
    desk.delays = true;
    struct task *task = retried();
    desk.jobs[0]->stop = JOB_FAILED_FAST;
    outcome_drop_stopped(desk.outcome, task, &desk.tally);
    flush();
    cr_assert_eq(desk.jobs[0]->ended[TASK_FAILED], 1);
    cr_assert_str_eq(desk.reason, "because");
    cr_assert_str_eq(desk.message, "attempt 2 was not started: another task of the job failed "
                                   "and fail_fast is set");
}

Test(outcome, a_retry_sets_no_fail_fast_off)
{
    desk.delays = true;
    desk.jobs[0]->fail_fast = true;
    struct task *task = retried();
    cr_assert_eq(desk.stops[0], 0);
    outcome_drop_stopped(desk.outcome, task, &desk.tally);
    flush();
}

Test(outcome, whoever_wants_failures_alone_does_not_hear_of_retries)
{
    desk.delays = true;
    desk.hooks.wants_all = false;
    desk_use_hooks();
    outcome_drop_stopped(desk.outcome, retried(), &desk.tally);
    flush();
    cr_assert_eq(desk.ended[TASK_DELAYED], 0);
    cr_assert_eq(desk.ended[TASK_CANCELLED], 1);
}

Test(outcome, whoever_wants_failures_alone_does_not_hear_of_success)
{
    desk.hooks.wants_all = false;
    desk_use_hooks();
    desk_finish(desk_running(0), VERDICT_OK);
    desk_finish(desk_running(0), VERDICT_FAILED);
    flush();
    cr_assert_eq(desk.ended[TASK_SUCCEEDED], 0);
    cr_assert_eq(desk.ended[TASK_FAILED], 1);
    cr_assert_eq(desk.jobs[0]->ended[TASK_SUCCEEDED], 1);
}

Test(outcome, dropping_works_from_every_state_before_running)
{
    static const struct outcome_reason reason = {"gone", "no use"};
    static const enum task_state states[] = {TASK_READY, TASK_PARKED, TASK_QUEUED};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct task *task = desk_task(0);
        if (states[i] != TASK_READY)
            task_move(task, states[i]);
        enum task_state end = i % 2 == 0 ? TASK_CANCELLED : TASK_SKIPPED;
        outcome_drop(desk.outcome, task, end, &reason, &desk.tally);
        cr_assert_str_eq(desk.reason, "gone");
    }
    flush();
    cr_assert_eq(desk.jobs[0]->ended[TASK_CANCELLED], 2);
    cr_assert_eq(desk.jobs[0]->ended[TASK_SKIPPED], 1);
}

Test(outcome, nothing_can_be_dropped_as_succeeded, .signal = SIGABRT)
{
    static const struct outcome_reason reason = {"gone", "no use"};
    outcome_drop(desk.outcome, desk_task(0), TASK_SUCCEEDED, &reason, &desk.tally);
}

Test(outcome, a_dropped_task_says_why_its_job_stops)
{
    struct task *tasks[] = {desk_task(0), desk_task(1)};
    desk.jobs[0]->stop = JOB_FAILED_FAST;
    desk.jobs[1]->stop = JOB_STOPPED;
    outcome_drop_stopped(desk.outcome, tasks[0], &desk.tally);
    cr_assert_str_eq(desk.reason, "fail_fast");
    outcome_drop_stopped(desk.outcome, tasks[1], &desk.tally);
    cr_assert_str_eq(desk.reason, "stopped");
    flush();
    cr_assert_eq(desk.jobs[0]->ended[TASK_SKIPPED], 1);
    cr_assert_eq(desk.jobs[1]->ended[TASK_CANCELLED], 1);
}
