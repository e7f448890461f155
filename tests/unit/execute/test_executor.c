/* The executor as the host uses it: purge, stop, many groups. */
#include "shop.h"

static enum sluice_status yield_a_little(const struct sluice_call *call, int64_t n)
{
    (void)call;
    (void)n;
    sched_yield();
    return SLUICE_OK;
}

static enum sluice_status hold(const struct sluice_call *call, int64_t n)
{
    (void)call;
    (void)n;
    shop_hold(1);
    return SLUICE_OK;
}

Test(executor, that_never_had_a_task_ends)
{
    shop_begin(&(struct shop_setup){0});
    shop_group("g", 1);
    shop_end();
    cr_assert_null(shop.executor);
    executor_destroy(&shop.executor);
}

Test(executor, purging_while_tasks_come_and_run_ends_each_of_them_once)
{
    struct task_list purged;
    int dropped = 0;
    task_list_init(&purged);
    shop_begin(&(struct shop_setup){.act = yield_a_little});
    struct group *groups[] = {shop_group("a", 1), shop_group("b", 4)};
    for (int i = 0; i < 400; i++) {
        shop_push(groups[i % 2], &(struct shop_task){.job = i % 3 / 2}, 50);
        executor_purge(shop.executor, i % 5 == 0 ? NULL : shop.jobs[i % 2], &purged);
        dropped += shop_drop(&purged);
    }
    SHOP_UNTIL(shop_ended() == 400 * 50);
    cr_assert_eq(shop.ended[TASK_CANCELLED], dropped);
    cr_assert_eq(shop.ended[TASK_SUCCEEDED], 400 * 50 - dropped);
    for (int64_t n = 0; n < shop.next; n++)
        cr_assert_leq(shop.runs[n], 1);
    shop_end();
}

Test(executor, purging_one_job_leaves_the_others_in_their_order)
{
    struct task_list purged;
    task_list_init(&purged);
    shop_begin(&(struct shop_setup){0});
    shop.shut = true;
    struct group *group = shop_group("g", 1);
    for (int i = 0; i < 20; i++)
        shop_push(group, &(struct shop_task){.job = i % 2}, 1);
    executor_purge(shop.executor, shop.jobs[0], &purged);
    cr_assert_eq(shop_drop(&purged), 10);
    SHOP_UNTIL(shop.waiting_count == 1);
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == 20);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(shop.started[i], 2 * i + 1);
    shop_end();
}

static void cancel_odd(struct task *task)
{
    if (task->number % 2 == 1)
        atomic_store(&task->cancelled, true);
}

Test(executor, purging_what_is_not_to_run_leaves_the_rest_in_order)
{
    struct task_list purged;
    task_list_init(&purged);
    shop_begin(&(struct shop_setup){0});
    struct group *group = shop_group("g", 1);
    group_pause(group);
    shop.each_pushed = cancel_odd;
    shop_push(group, &(struct shop_task){.job = 0}, 20);
    shop_push(group, &(struct shop_task){.job = 1}, 4);
    executor_purge_stopped(shop.executor, shop.jobs[0], &purged);
    cr_assert_eq(shop_drop(&purged), 10);
    shop.jobs[1]->stop = JOB_CANCELLED;
    executor_purge_stopped(shop.executor, NULL, &purged);
    cr_assert_eq(shop_drop(&purged), 4);
    group_resume(group);
    SHOP_UNTIL(shop_ended() == 24);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(shop.started[i], 2 * i);
    shop_end();
}

Test(executor, drops_the_tasks_of_a_job_that_has_stopped_before_their_call)
{
    shop_begin(&(struct shop_setup){0});
    shop.shut = true;
    shop_push(shop_group("g", 1), &(struct shop_task){0}, 20);
    SHOP_UNTIL(shop.waiting_count == 1);
    shop.jobs[0]->stop = JOB_FAILED_FAST;
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == 20);
    cr_assert_eq(shop.started_count, 0);
    cr_assert_eq(shop.ended[TASK_SKIPPED], 20);
    shop_end();
}

Test(executor, hundreds_of_groups_are_all_served)
{
    enum { GROUPS = 300 };
    struct group *groups[GROUPS];
    shop_begin(&(struct shop_setup){.act = yield_a_little});
    for (int i = 0; i < GROUPS; i++)
        groups[i] = shop_group("one of many", 1);
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < GROUPS; i++)
            shop_push(groups[i], &(struct shop_task){.type = i % 2 ? SHOP_PLAIN : SHOP_OTHER}, 3);
    SHOP_UNTIL(shop_ended() == GROUPS * 15);
    shop_end();
}

Test(executor, a_trickle_of_single_tasks_is_never_forgotten)
{
    shop_begin(&(struct shop_setup){0});
    struct group *groups[] = {shop_group("a", 1), shop_group("b", 3), shop_group("c", 16)};
    for (int i = 0; i < 3000; i++) {
        shop_push(groups[i % 3], &(struct shop_task){.type = (enum shop_type)(i % SHOP_TYPES)}, 1);
        if (i % 7 == 0)
            AWAIT(shop_ended() == i + 1);
    }
    SHOP_UNTIL(shop_ended() == 3000);
    for (int n = 0; n < 3000; n++)
        cr_assert_eq(shop.runs[n], 1);
    shop_end();
}

/* Until the thread has used so much processor time as a heartbeat shows. */
static enum sluice_status toil(const struct sluice_call *call, int64_t n)
{
    (void)call;
    (void)n;
    int64_t from_ns, used_ns;
    clockid_t clock = thread_cpu_clock();
    cr_assert(thread_cpu_ns(clock, &from_ns));
    do
        cr_assert(thread_cpu_ns(clock, &used_ns));
    while (used_ns - from_ns < 20 * NS_PER_MS);
    return SLUICE_OK;
}

Test(executor, a_heartbeat_shows_which_groups_keep_processors_busy)
{
    struct executor_limits limits = {
        .grace_ns = NS_PER_S, .max_age_ns = NS_PER_S, .heartbeat_ns = NS_PER_S};
    shop_begin(&(struct shop_setup){.act = toil});
    struct group *busy = shop_group("busy", 1), *idle = shop_group("idle", 1);
    cr_assert_eq(executor_heartbeat(shop.executor, 5 * NS_PER_S), CLOCK_NEVER_NS);
    executor_set_limits(shop.executor, &limits);
    cr_assert_eq(executor_heartbeat(shop.executor, 5 * NS_PER_S), 6 * NS_PER_S);
    shop_push(busy, &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop_ended() == 1);
    cr_assert_eq(executor_heartbeat(shop.executor, 5 * NS_PER_S + 1), 6 * NS_PER_S);
    cr_assert_eq(group_load(busy).cpu_milli, 0);
    cr_assert_eq(executor_heartbeat(shop.executor, 6 * NS_PER_S), 7 * NS_PER_S);
    cr_assert_geq(group_load(busy).cpu_milli, 20);
    cr_assert_eq(group_load(idle).cpu_milli, 0);
    executor_heartbeat(shop.executor, 7 * NS_PER_S);
    cr_assert_lt(group_load(busy).cpu_milli, 20);
    shop_end();
}

/* Runs until it is asked to end; what it answers then does not count. */
static enum sluice_status wait_for_cancel(const struct sluice_call *call, int64_t n)
{
    (void)n;
    while (!sluice_cancelled(call))
        sched_yield();
    return SLUICE_OK;
}

static const struct task *pushed[64];

static void note_pushed(struct task *task)
{
    pushed[task->number % 64] = task;
}

Test(executor, cancels_the_call_of_one_task_and_no_other)
{
    shop_begin(&(struct shop_setup){.act = wait_for_cancel});
    shop.each_pushed = note_pushed;
    shop_push(shop_group("g", 3), &(struct shop_task){0}, 3);
    SHOP_UNTIL(shop.inside == 3);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert(executor_cancel_task(shop.executor, pushed[2 - i]));
        SHOP_UNTIL(shop_ended() == (int)i + 1);
        cr_assert_eq(shop.ended[TASK_CANCELLED], i + 1);
        cr_assert_str_eq(shop.reason, "cancelled");
    }
    shop_end();
}

Test(executor, cancels_the_calls_of_one_job_and_no_others)
{
    shop_begin(&(struct shop_setup){.act = wait_for_cancel});
    struct group *group = shop_group("g", 5);
    shop_push(group, &(struct shop_task){.job = 0}, 2);
    shop_push(group, &(struct shop_task){.job = 1}, 3);
    SHOP_UNTIL(shop.inside == 5);
    cr_assert_eq(executor_cancel_job(shop.executor, shop.jobs[1]), 3);
    SHOP_UNTIL(shop_ended() == 3);
    cr_assert_eq(executor_running(shop.executor), 2);
    cr_assert_eq(executor_cancel_job(shop.executor, shop.jobs[0]), 2);
    SHOP_UNTIL(shop_ended() == 5);
    shop_end();
}

Test(executor, gives_up_a_cancelled_call_that_does_not_end_within_the_grace_period)
{
    shop_begin(&(struct shop_setup){.act = hold, .grace_ns = NS_PER_MS});
    shop.each_pushed = note_pushed;
    shop_push(shop_group("g", 1), &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop.inside == 1);
    atomic_store(&pushed[0]->cancelled, true);
    executor_cancel_task(shop.executor, pushed[0]);
    SHOP_UNTIL(executor_stuck(shop.executor) == 1);
    cr_assert_eq(shop.ended[TASK_CANCELLED], 1);
    cr_assert_str_eq(shop.reason, "stuck");
    shop_open(1);
    shop_end();
}

/* Each is cancelled somewhere between before its batch and after its end. */
Test(executor, cancelling_tasks_that_come_and_go_ends_each_once)
{
    enum { ROUNDS = 2000 };
    shop_begin(&(struct shop_setup){.act = yield_a_little});
    shop.each_pushed = note_pushed;
    struct group *group = shop_group("g", 2);
    for (int i = 0; i < ROUNDS; i++) {
        shop_push(group, &(struct shop_task){0}, 1);
        for (int k = 0; k < i % 40; k++)
            sched_yield();
        executor_cancel_task(shop.executor, pushed[i % 64]);
        shop.planned_ns = executor_watch(shop.executor, clock_now_ns());
    }
    SHOP_UNTIL(shop_ended() == ROUNDS);
    cr_assert_eq(shop.ended[TASK_CANCELLED] + shop.ended[TASK_SUCCEEDED], ROUNDS);
    shop_end();
}

static struct running seen[8];
static size_t seen_count;

static void note_running(void *context, const struct running *running)
{
    cr_assert_eq(context, &shop);
    seen[seen_count++] = *running;
}

Test(executor, shows_the_calls_in_progress_and_what_they_are_at)
{
    shop_begin(&(struct shop_setup){.act = hold});
    shop_push(shop_group("one", 1), &(struct shop_task){.job = 1, .weight = 7}, 3);
    SHOP_UNTIL(shop.inside == 1);
    executor_visit_running(shop.executor, note_running, &shop);
    cr_assert_eq(seen_count, 1);
    cr_assert_eq(seen[0].job_key, shop.jobs[1]->store_key);
    cr_assert_eq(seen[0].number, 0);
    cr_assert_str_eq(seen[0].group, "one");
    cr_assert_eq(seen[0].weight, 7);
    cr_assert_not(seen[0].stuck);
    cr_assert_leq(seen[0].started_ns, clock_now_ns());
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 3);
    seen_count = 0;
    executor_visit_running(shop.executor, note_running, &shop);
    cr_assert_eq(seen_count, 0);
    shop_end();
}
