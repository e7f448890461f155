#include "accept/figures.h"
#include "desk.h"
#include "support/clock.h"

static const struct type other_type = {"other", 7};

static uint32_t types_seen;

static void find(void *context, struct type_figures *of_type)
{
    struct type_figures **found = context;
    types_seen++;
    if (of_type->type->number == 0)
        *found = of_type;
}

/* What the desk's type has come to. */
static struct type_figures *figures_of_desk(void)
{
    struct type_figures *found = NULL;
    types_seen = 0;
    figures_visit(desk.figures, find, &found);
    cr_assert_not_null(found);
    return found;
}

static uint64_t count_of(struct histogram_total *total)
{
    struct histogram_reading reading;
    histogram_read(total, &reading);
    return reading.up_to[HISTOGRAM_BUCKETS - 1];
}

Test(figures, count_what_is_submitted_before_anything_of_it_has_ended)
{
    desk_begin();
    struct task *task = desk_running(0);
    cr_assert_eq(figures_of_desk()->submitted, 1);
    cr_assert_eq(types_seen, 1);
    cr_assert_eq(count_of(&figures_of_desk()->latency), 0);
    desk_finish(task, VERDICT_OK);
    outcome_flush(desk.outcome, &desk.tally);
    desk_end();
}

Test(figures, count_and_measure_each_end_once_a_batch)
{
    desk_begin();
    for (int i = 0; i < 3; i++)
        desk_finish(desk_running(0), i == 0 ? VERDICT_FAILED : VERDICT_OK);
    cr_assert_eq(figures_of_desk()->finished[TASK_SUCCEEDED], 0);
    outcome_flush(desk.outcome, &desk.tally);
    struct type_figures *figures = figures_of_desk();
    cr_assert_eq(figures->finished[TASK_SUCCEEDED], 2);
    cr_assert_eq(figures->finished[TASK_FAILED], 1);
    cr_assert_eq(count_of(&figures->latency), 3);
    cr_assert_eq(count_of(&figures->wait), 3);
    cr_assert_eq(count_of(&figures->run), 3);
    cr_assert_eq(figures->retries, 0);
    desk_end();
}

Test(figures, take_a_wait_for_the_first_start_only_and_a_run_for_each_attempt)
{
    static const struct sluice_retry twice = {.attempts = 2};
    desk_begin();
    desk.delays = true;
    struct task *task = desk_running(0);
    task->retry = &twice;
    desk_finish(task, VERDICT_FAILED);
    cr_assert_eq(desk.delayed, task);
    task_move(task, TASK_READY);
    task_move(task, TASK_QUEUED);
    task_move(task, TASK_RUNNING);
    desk_finish(task, VERDICT_OK);
    outcome_flush(desk.outcome, &desk.tally);
    struct type_figures *figures = figures_of_desk();
    cr_assert_eq(figures->retries, 1);
    cr_assert_eq(count_of(&figures->wait), 1);
    cr_assert_eq(count_of(&figures->run), 2);
    cr_assert_eq(count_of(&figures->latency), 1);
    cr_assert_eq(figures->submitted, 1);
    desk_end();
}

Test(figures, of_a_task_that_never_started_are_its_end_and_its_latency)
{
    static const struct outcome_reason reason = {"parked", "nobody may run it"};
    desk_begin();
    outcome_drop(desk.outcome, desk_task(0), TASK_SKIPPED, &reason, &desk.tally);
    outcome_flush(desk.outcome, &desk.tally);
    struct type_figures *figures = figures_of_desk();
    cr_assert_eq(figures->finished[TASK_SKIPPED], 1);
    cr_assert_eq(count_of(&figures->latency), 1);
    cr_assert_eq(count_of(&figures->wait), 0);
    cr_assert_eq(count_of(&figures->run), 0);
    desk_end();
}

Test(figures, of_another_type_in_the_same_batch_are_kept_apart)
{
    desk_begin();
    struct task *task = desk_running(0);
    task->type = &other_type;
    desk_finish(desk_running(0), VERDICT_OK);
    desk_finish(task, VERDICT_OK);
    desk_finish(desk_running(0), VERDICT_OK);
    outcome_flush(desk.outcome, &desk.tally);
    cr_assert_eq(figures_of_desk()->finished[TASK_SUCCEEDED], 2);
    cr_assert_eq(types_seen, 2);
    desk_end();
}

Test(figures, count_crashes_by_their_reasons)
{
    desk_begin();
    figures_crash(desk.figures, &other_type, CRASH_SIGNAL);
    figures_crash(desk.figures, &(struct type){"any", 0}, CRASH_OUT_OF_MEMORY);
    cr_assert_eq(figures_of_desk()->crashes[CRASH_OUT_OF_MEMORY], 1);
    cr_assert_eq(figures_of_desk()->crashes[CRASH_SIGNAL], 0);
    cr_assert_str_eq(crash_reason_word(CRASH_OUT_OF_MEMORY), "out_of_memory");
    desk_end();
}
