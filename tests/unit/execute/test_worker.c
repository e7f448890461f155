/* What becomes of calls, and of the batch that waits behind one. */
#include <stdio.h>

#include "shop.h"

#include <sluice/plugin.h>

#define HOUR_NS (3600 * NS_PER_S)

static _Atomic int64_t held = -1, held_too = -1; /* the n of calls that do not end */

static enum sluice_status hold_some(const struct sluice_call *call, int64_t n)
{
    (void)call;
    if (n == held || n == held_too)
        shop_hold(1);
    return SLUICE_OK;
}

static enum sluice_status wait_for_cancel(const struct sluice_call *call, int64_t n)
{
    (void)n;
    return sluice_wait(call, HOUR_NS) ? SLUICE_OK : SLUICE_CANCELLED;
}

static enum sluice_status leave_happily(const struct sluice_call *call, int64_t n)
{
    (void)n;
    sluice_wait(call, HOUR_NS);
    return SLUICE_OK;
}

static enum sluice_status answer_nonsense(const struct sluice_call *call, int64_t n)
{
    (void)call;
    (void)n;
    return (enum sluice_status)77;
}

static enum sluice_status try_again(const struct sluice_call *call, int64_t n)
{
    (void)n;
    sluice_try_again(call, 5);
    return SLUICE_TRY_AGAIN;
}

static enum sluice_status fail_with_code(const struct sluice_call *call, int64_t n)
{
    sluice_fail(call, n % 2 == 0 ? "even" : NULL, "no luck with %d", (int)n);
    return n % 4 < 2 ? SLUICE_FAILED : SLUICE_FAILED_FOR_GOOD;
}

/* Runs enough tasks that the type is known to be quick and comes in batches. */
static struct group *warm_group(uint32_t workers)
{
    struct group *group = shop_group("g", workers);
    for (int i = 0; i < 10; i++) {
        shop_push(group, &(struct shop_task){0}, 200);
        SHOP_UNTIL(room_taken(&shop.pending) == 0);
    }
    return group;
}

/* A batch behind the gate, so that all of it is there when the first worker comes. */
static int64_t push_batch(struct group *group, const struct shop_task *how, int count)
{
    shop.shut = true;
    int64_t from = shop_push(group, how, count);
    SHOP_UNTIL(shop.waiting_count == 1);
    return from;
}

Test(worker, a_long_call_frees_the_rest_of_its_batch)
{
    shop_begin(&(struct shop_setup){.act = hold_some});
    struct group *group = warm_group(2);
    int before = shop_ended();
    held = push_batch(group, &(struct shop_task){0}, 20);
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == before + 19);
    cr_assert_eq(shop.runs[held], 1);
    shop_open(1);
    shop_end();
}

Test(worker, what_waits_behind_a_long_call_can_be_purged)
{
    struct task_list purged;
    task_list_init(&purged);
    shop_begin(&(struct shop_setup){.act = hold_some});
    struct group *group = warm_group(1);
    held = push_batch(group, &(struct shop_task){0}, 20);
    shop_open_gate();
    SHOP_UNTIL(shop.runs[held] == 1);
    executor_purge(shop.executor, NULL, &purged);
    cr_assert_eq(shop_drop(&purged), 19);
    shop_open(1);
    shop_end();
    for (int64_t n = held + 1; n < shop.next; n++)
        cr_assert_eq(shop.runs[n], 0);
}

Test(worker, purging_a_job_leaves_the_batches_of_others)
{
    struct task_list purged;
    task_list_init(&purged);
    shop_begin(&(struct shop_setup){.act = hold_some});
    struct group *group = warm_group(1);
    held = push_batch(group, &(struct shop_task){.job = 0}, 10);
    shop_open_gate();
    SHOP_UNTIL(shop.runs[held] == 1);
    executor_purge(shop.executor, shop.jobs[1], &purged);
    cr_assert_eq(purged.count, 0);
    shop_open(1);
    shop_end();
    cr_assert_eq(shop.ended[TASK_CANCELLED], 0);
}

Test(worker, a_quick_call_that_hangs_does_not_hold_up_another_group)
{
    shop_begin(&(struct shop_setup){.act = hold_some});
    struct group *group = warm_group(1);
    int before = shop_ended();
    SHOP_UNTIL(shop.planned_ns == CLOCK_NEVER_NS);
    held = shop.next;
    shop_push(group, &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop.runs[held] == 1);
    shop_push(shop_group("other", 1), &(struct shop_task){0}, 3);
    SHOP_UNTIL(shop_ended() == before + 3);
    shop_open(1);
    shop_end();
}

Test(worker, a_second_quick_call_that_hangs_is_seen_before_the_deadline_of_the_first)
{
    shop_begin(&(struct shop_setup){.act = hold_some});
    struct group *groups[] = {warm_group(1), shop_group("b", 1), shop_group("c", 1)};
    int before = shop_ended();
    held = shop.next;
    shop_push(groups[0], &(struct shop_task){.timeout_ns = HOUR_NS}, 1);
    SHOP_UNTIL(shop.runs[held] == 1 && shop.planned_ns > clock_now_ns() + HOUR_NS / 2);
    held_too = shop.next;
    shop_push(groups[1], &(struct shop_task){.timeout_ns = 2 * HOUR_NS}, 1);
    SHOP_UNTIL(shop.runs[held_too] == 1);
    shop_push(groups[2], &(struct shop_task){0}, 3);
    SHOP_UNTIL(shop_ended() == before + 3);
    shop_open(1);
    shop_end();
}

enum { CROWD = 80, EACH = 40 };

static enum sluice_status hold_every_fortieth(const struct sluice_call *call, int64_t n)
{
    (void)call;
    if (n % EACH == 0)
        shop_hold(1);
    return SLUICE_OK;
}

Test(worker, more_long_calls_than_one_look_acts_on_all_free_their_batches)
{
    shop_begin(&(struct shop_setup){0});
    warm_group(1);
    int before = shop_ended();
    struct group *groups[CROWD];
    for (int i = 0; i < CROWD; i++)
        groups[i] = shop_group("one of many", 2);
    shop.setup.act = hold_every_fortieth;
    shop.shut = true;
    for (int i = 0; i < CROWD; i++)
        shop_push(groups[i], &(struct shop_task){0}, EACH);
    SHOP_UNTIL(shop.waiting_count == CROWD);
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == before + CROWD * (EACH - 1));
    shop_open(1);
    shop_end();
}

static _Atomic int64_t heard_ns, deadline_after_ns;

static void listen_long(const struct task *task)
{
    (void)task;
    if (held < 0 || heard_ns > 0)
        return;
    shop_hold(1);
    heard_ns = clock_now_ns();
}

static enum sluice_status note_deadline(const struct sluice_call *call, int64_t n)
{
    if (held >= 0 && n == held + 1)
        deadline_after_ns = sluice_deadline(call);
    return SLUICE_OK;
}

Test(worker, the_time_that_a_listener_takes_is_not_the_next_task_s)
{
    shop_begin(&(struct shop_setup){.act = note_deadline, .listen = listen_long});
    struct group *group = warm_group(1);
    held = push_batch(group, &(struct shop_task){.timeout_ns = HOUR_NS}, 2);
    shop_open_gate();
    SHOP_UNTIL(shop.runs[held] == 1);
    int64_t until_ns = clock_now_ns() + NS_PER_MS; /* the clock is to move while it listens */
    SHOP_UNTIL(clock_now_ns() > until_ns);
    shop_open(1);
    SHOP_UNTIL(room_taken(&shop.pending) == 0);
    cr_assert_geq(deadline_after_ns, heard_ns + HOUR_NS);
    shop_end();
}

Test(worker, a_call_past_its_deadline_is_asked_to_end)
{
    shop_begin(&(struct shop_setup){.act = wait_for_cancel});
    shop_push(shop_group("g", 1), &(struct shop_task){.timeout_ns = NS_PER_MS}, 3);
    SHOP_UNTIL(shop_ended() == 3);
    cr_assert_eq(shop.ended[TASK_TIMED_OUT], 3);
    cr_assert_str_eq(shop.reason, "timed_out");
    shop_end();
}

Test(worker, a_call_that_answers_ok_after_it_was_asked_to_end_has_timed_out)
{
    shop_begin(&(struct shop_setup){.act = leave_happily});
    shop_push(shop_group("g", 1), &(struct shop_task){.timeout_ns = NS_PER_MS}, 1);
    SHOP_UNTIL(shop_ended() == 1);
    cr_assert_eq(shop.ended[TASK_TIMED_OUT], 1);
    shop_end();
}

Test(worker, a_call_that_does_not_end_is_given_up_and_its_place_taken_by_another)
{
    shop_begin(&(struct shop_setup){.act = hold_some, .grace_ns = NS_PER_MS});
    struct group *group = shop_group("g", 1);
    held = 0;
    shop_push(group, &(struct shop_task){.timeout_ns = NS_PER_MS, .weight = 5}, 1);
    shop_push(group, &(struct shop_task){0}, 3);
    SHOP_UNTIL(room_taken(&shop.pending) == 0);
    cr_assert_eq(shop.ended[TASK_TIMED_OUT], 1);
    cr_assert_eq(shop.ended[TASK_SUCCEEDED], 3);
    cr_assert_str_eq(shop.reason, "stuck");
    cr_assert_eq(executor_stuck(shop.executor), 1);
    cr_assert_eq(executor_running(shop.executor), 0);
    SHOP_UNTIL(shop.in_use == 5); /* until the call really returns */
    shop_open(1);
    shop_end();
}

Test(worker, a_shorter_grace_holds_for_a_call_that_was_asked_to_end_before)
{
    shop_begin(&(struct shop_setup){.act = hold_some, .grace_ns = 3600 * NS_PER_S});
    held = 0;
    shop_push(shop_group("g", 1), &(struct shop_task){.timeout_ns = NS_PER_MS}, 1);
    SHOP_UNTIL(shop.inside == 1);
    executor_cancel(shop.executor);
    executor_watch(shop.executor, clock_now_ns());
    cr_assert_eq(executor_stuck(shop.executor), 0);
    executor_set_limits(shop.executor,
                        &(struct executor_limits){.grace_ns = NS_PER_MS, .max_age_ns = NS_PER_S});
    SHOP_UNTIL(room_taken(&shop.pending) == 0);
    cr_assert_eq(executor_stuck(shop.executor), 1);
    shop_open(1);
    shop_end();
}

Test(worker, ends_before_a_stuck_call_in_its_batch_are_counted)
{
    shop_begin(&(struct shop_setup){.act = hold_some, .grace_ns = NS_PER_MS});
    struct group *group = warm_group(1);
    held = shop.next + 9;
    push_batch(group, &(struct shop_task){.timeout_ns = NS_PER_S}, 10);
    shop_open_gate();
    SHOP_UNTIL(room_taken(&shop.pending) == 0);
    cr_assert_eq(shop.jobs[0]->unfinished, 1);
    cr_assert_eq(shop.ended[TASK_TIMED_OUT], 1);
    shop_open(1);
    shop_end();
}

Test(worker, the_batch_behind_a_call_that_is_given_up_at_once_still_runs)
{
    shop_begin(&(struct shop_setup){.act = hold_some, .grace_ns = 1});
    struct group *group = warm_group(1);
    held = push_batch(group, &(struct shop_task){.timeout_ns = NS_PER_MS}, 10);
    shop_open_gate();
    while (executor_stuck(shop.executor) == 0) /* looks before the call counts as long */
        executor_watch(shop.executor, clock_now_ns());
    SHOP_UNTIL(room_taken(&shop.pending) == 0);
    cr_assert_eq(shop.runs[held + 9], 1);
    shop_open(1);
    shop_end();
}

Test(worker, cancelling_ends_what_runs_and_what_begins_later)
{
    shop_begin(&(struct shop_setup){.act = wait_for_cancel});
    struct group *group = shop_group("g", 3);
    shop_push(group, &(struct shop_task){0}, 3);
    SHOP_UNTIL(shop.inside == 3);
    cr_assert_eq(executor_running(shop.executor), 3);
    executor_cancel(shop.executor);
    shop_wake(NULL);
    SHOP_UNTIL(shop_ended() == 3);
    shop_push(group, &(struct shop_task){0}, 3);
    SHOP_UNTIL(shop_ended() == 6);
    cr_assert_eq(shop.ended[TASK_CANCELLED], 6);
    shop_end();
}

Test(worker, a_cancelled_call_that_does_not_end_is_given_up_too)
{
    shop_begin(&(struct shop_setup){.act = hold_some, .grace_ns = NS_PER_MS});
    held = 0;
    shop_push(shop_group("g", 1), &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop.inside == 1);
    executor_cancel(shop.executor);
    shop_wake(NULL);
    SHOP_UNTIL(executor_stuck(shop.executor) == 1);
    SHOP_UNTIL(room_taken(&shop.pending) == 0);
    shop_open(1);
    shop_end();
}

Test(worker, the_control_loop_sleeps_while_a_call_without_timeout_runs)
{
    shop_begin(&(struct shop_setup){.act = hold_some});
    held = 0;
    shop_push(shop_group("g", 1), &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop.inside == 1);
    SHOP_UNTIL(shop.planned_ns == CLOCK_NEVER_NS);
    shop_open(1);
    shop_end();
}

Test(worker, the_control_loop_sleeps_until_the_nearest_deadline)
{
    shop_begin(&(struct shop_setup){.act = wait_for_cancel});
    struct group *group = shop_group("g", 3);
    int64_t from_ns = clock_now_ns();
    for (int hours = 3; hours > 0; hours--)
        shop_push(group, &(struct shop_task){.timeout_ns = hours * HOUR_NS}, 1);
    SHOP_UNTIL(shop.inside == 3);
    SHOP_UNTIL(shop.planned_ns >= from_ns + HOUR_NS && shop.planned_ns < from_ns + 2 * HOUR_NS);
    executor_cancel(shop.executor);
    shop_wake(NULL);
    shop_end();
}

Test(worker, says_what_the_plugin_said)
{
    shop_begin(&(struct shop_setup){.act = fail_with_code});
    struct group *group = shop_group("g", 1);
    shop_push(group, &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop_ended() == 1);
    cr_assert_str_eq(shop.reason, "even");
    shop_push(group, &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop_ended() == 2);
    cr_assert_str_eq(shop.reason, "failed");
    cr_assert_eq(shop.ended[TASK_FAILED], 2);
    shop_end();
}

Test(worker, an_answer_that_is_none_fails_the_task)
{
    shop_begin(&(struct shop_setup){.act = answer_nonsense});
    shop_push(shop_group("g", 1), &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop_ended() == 1);
    cr_assert_eq(shop.ended[TASK_FAILED], 1);
    cr_assert_str_eq(shop.reason, "invalid_status");
    shop_end();
}

Test(worker, a_task_that_wants_to_try_again_when_nothing_waits_any_more_is_cancelled)
{
    shop_begin(&(struct shop_setup){.act = try_again});
    shop_push(shop_group("g", 1), &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop_ended() == 1);
    cr_assert_eq(shop.ended[TASK_CANCELLED], 1);
    shop_end();
}

Test(worker, parameters_that_the_plugin_refuses_fail_without_a_call)
{
    shop_begin(&(struct shop_setup){0});
    shop_push(shop_group("g", 1), &(struct shop_task){.damaged = true}, 1);
    SHOP_UNTIL(shop_ended() == 1);
    cr_assert_eq(shop.started_count, 0);
    cr_assert_eq(shop.ended[TASK_FAILED], 1);
    cr_assert_str_eq(shop.reason, "params_rejected");
    shop_end();
}

static _Atomic int inits, exits;

static bool count_init(void *self, void **worker, struct sluice_error *error)
{
    (void)self;
    (void)error;
    *worker = &inits;
    atomic_fetch_add(&inits, 1);
    return true;
}

static void count_exit(void *self, void *worker)
{
    (void)self;
    cr_assert_eq(worker, &inits);
    atomic_fetch_add(&exits, 1);
}

static enum sluice_status see_context(const struct sluice_call *call, int64_t n)
{
    (void)n;
    return sluice_worker(call) == &inits ? SLUICE_OK : SLUICE_FAILED;
}

Test(worker, begins_a_type_once_a_thread_and_ends_it_when_it_leaves)
{
    shop_begin(&(struct shop_setup){
        .act = see_context, .worker_init = count_init, .worker_exit = count_exit});
    shop_push(shop_group("g", 4), &(struct shop_task){.type = SHOP_SECOND}, 1000);
    SHOP_UNTIL(shop_ended() == 1000);
    cr_assert_eq(shop.ended[TASK_SUCCEEDED], 1000);
    shop_end();
    cr_assert_geq(inits, 1);
    cr_assert_eq(exits, inits);
}

static bool refuse_init(void *self, void **worker, struct sluice_error *error)
{
    (void)self;
    (void)worker;
    snprintf(error->message, sizeof error->message, "no scratch disk");
    return false;
}

Test(worker, a_type_that_cannot_begin_fails_its_tasks_and_is_not_ended)
{
    shop_begin(&(struct shop_setup){.worker_init = refuse_init, .worker_exit = count_exit});
    struct group *group = shop_group("g", 1);
    shop_push(group, &(struct shop_task){.type = SHOP_SECOND}, 2);
    shop_push(group, &(struct shop_task){.type = SHOP_PLAIN}, 1);
    SHOP_UNTIL(shop_ended() == 3);
    cr_assert_eq(shop.ended[TASK_FAILED], 2);
    cr_assert_eq(shop.ended[TASK_SUCCEEDED], 1);
    cr_assert_str_eq(shop.reason, "worker_init");
    shop_end();
    cr_assert_eq(exits, 0);
}
