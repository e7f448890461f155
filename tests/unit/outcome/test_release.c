/* What becomes of tasks when the one that they need has ended. */
#include "desk.h"

#include <stdio.h>

TestSuite(release, .init = desk_begin, .fini = desk_end);

/* Ends a released task well. */
static void run(struct task *task)
{
    cr_assert_eq(task->state, TASK_READY);
    task_move(task, TASK_QUEUED);
    task_move(task, TASK_RUNNING);
    desk_finish(task, VERDICT_OK);
}

static void flush(void)
{
    outcome_flush(desk.outcome, &desk.tally);
}

Test(release, success_starts_what_waits_for_it)
{
    struct task *first = desk_running(0);
    struct task *second = desk_dependent(0, first, WHEN_SUCCESS);
    struct task *third = desk_dependent(0, second, WHEN_ALWAYS);
    struct task *never = desk_dependent(0, first, WHEN_FAILURE);
    desk_finish(first, VERDICT_OK);
    cr_assert_eq(desk.released.count, 1);
    cr_assert_eq(never->state, TASK_SKIPPED);
    cr_assert_str_eq(desk.reason, "nothing_failed");
    run(task_list_pop(&desk.released));
    cr_assert_eq(second->state, TASK_SUCCEEDED);
    run(task_list_pop(&desk.released));
    cr_assert_eq(third->state, TASK_SUCCEEDED);
    flush();
    cr_assert_eq(desk.ended[TASK_SKIPPED], 1);
}

Test(release, failure_skips_all_behind_it_and_starts_what_is_for_failures)
{
    struct task *first = desk_running(0);
    struct task *skipped = desk_dependent(0, first, WHEN_SUCCESS);
    struct task *behind = desk_dependent(0, skipped, WHEN_SUCCESS);
    struct task *tidy = desk_dependent(0, behind, WHEN_ALWAYS);
    struct task *alert = desk_dependent(0, first, WHEN_FAILURE);
    desk_finish(first, VERDICT_FAILED);
    cr_assert_eq(skipped->state, TASK_SKIPPED);
    cr_assert_eq(behind->state, TASK_SKIPPED);
    cr_assert_str_eq(desk.reason, "dependency_skipped");
    cr_assert_str_eq(desk.message, "not started: it needs 't-1', which was skipped");
    cr_assert_eq(desk.released.count, 2);
    run(alert);
    run(tidy);
    task_list_init(&desk.released);
    flush();
}

Test(release, a_chain_of_many_is_skipped_without_recursion)
{
    enum { MANY = 50 * 1000 };
    struct task *task = desk_running(0), *last = task;
    for (int i = 0; i < MANY; i++)
        last = desk_dependent(0, last, WHEN_SUCCESS);
    desk_finish(task, VERDICT_TIMED_OUT);
    cr_assert_eq(last->state, TASK_SKIPPED);
    cr_assert_eq(desk.ended[TASK_SKIPPED], MANY);
    flush();
}

Test(release, a_delay_counts_from_the_release)
{
    desk.delays = true;
    struct task *first = desk_running(0);
    struct task *second = desk_dependent(0, first, WHEN_SUCCESS);
    second->due_ns = 1000;
    int64_t before_ns = first->submitted_ns;
    desk_finish(first, VERDICT_OK);
    cr_assert_eq(desk.delayed, second);
    cr_assert_eq(second->state, TASK_DELAYED);
    cr_assert_geq(desk.delayed_until_ns, before_ns + 1000);
    cr_assert_eq(desk.released.count, 0);
    task_move(second, TASK_READY);
    run(second);
    flush();
}

Test(release, a_job_that_failed_fast_starts_only_what_runs_always)
{
    desk.jobs[0]->fail_fast = true;
    struct task *other = desk_running(0), *first = desk_running(0);
    struct task *stopped = desk_dependent(0, other, WHEN_SUCCESS);
    struct task *always = desk_dependent(0, other, WHEN_ALWAYS);
    desk_finish(first, VERDICT_FAILED);
    desk_finish(other, VERDICT_OK);
    cr_assert_eq(stopped->state, TASK_SKIPPED);
    cr_assert_str_eq(desk.reason, "fail_fast");
    run(always);
    task_list_init(&desk.released);
    flush();
}

Test(release, a_cancelled_job_starts_nothing)
{
    struct task *first = desk_running(0);
    struct task *always = desk_dependent(0, first, WHEN_ALWAYS);
    desk.jobs[0]->stop = JOB_STOPPED;
    desk_finish(first, VERDICT_OK);
    cr_assert_eq(always->state, TASK_CANCELLED);
    cr_assert_str_eq(desk.reason, "stopped");
    flush();
}

Test(release, what_waits_holds_its_room_and_is_aside)
{
    struct task *first = desk_running(0);
    struct task *second = desk_dependent(0, first, WHEN_SUCCESS);
    cr_assert_eq(room_taken(&desk.pending), 2);
    cr_assert_eq(room_watch(&desk.pending, 2), 1);
    desk_finish(first, VERDICT_OK);
    cr_assert_eq(room_watch(&desk.pending, 2), 2);
    flush();
    cr_assert_eq(room_taken(&desk.pending), 1);
    run(second);
    task_list_init(&desk.released);
    flush();
}
