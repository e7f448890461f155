/* The executor behind the real admission. */
#include <stdlib.h>

#include "shop.h"

enum { CAPACITY = 20 };

static _Atomic int32_t over; /* calls that found more weight granted than there is */

static enum sluice_status watch_weight(const struct sluice_call *call, int64_t n)
{
    (void)call;
    (void)n;
    over += admission_in_use(shop.setup.admission) > CAPACITY;
    if (n % 7 == 0)
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

static void begin(enum sluice_status (*act)(const struct sluice_call *call, int64_t n))
{
    shop_begin(&(struct shop_setup){.act = act, .admission = admission_create(CAPACITY)});
}

static void end(void)
{
    struct admission *admission = shop.setup.admission;
    shop_end();
    admission_destroy(&admission);
}

Test(admitted, never_more_weight_than_there_is_and_every_task_runs)
{
    enum { TASKS = 5000, GROUPS = 6 };
    struct group *groups[GROUPS];
    begin(watch_weight);
    srand(5);
    shop.jobs[1]->max_weight = 7;
    for (int i = 0; i < GROUPS; i++)
        groups[i] = shop_weighed_group(3, i == 1 ? 4 : 0, i == 2 ? 5 : 0);
    for (int i = 0; i < TASKS; i++)
        shop_push(groups[rand() % GROUPS],
                  &(struct shop_task){.weight = rand() % 10 == 0 ? SHOP_AUTO : rand() % 30 + 1,
                                      .priority = (int8_t)(rand() % 5),
                                      .job = rand() % 2},
                  1);
    SHOP_UNTIL(shop_ended() == TASKS);
    cr_assert_eq(over, 0);
    for (int n = 0; n < TASKS; n++)
        cr_assert_eq(shop.runs[n], 1);
    end();
}

Test(admitted, an_alarm_with_a_reserve_runs_while_reports_hold_all_the_rest)
{
    begin(hold);
    struct group *reports = shop_weighed_group(16, 0, 0), *alarms = shop_weighed_group(2, 0, 3);
    shop_push(reports, &(struct shop_task){.weight = 5}, 50);
    SHOP_UNTIL(shop.inside == 3);
    shop.setup.act = NULL;
    shop_push(alarms, &(struct shop_task){.type = SHOP_SECOND}, 100);
    SHOP_UNTIL(shop_ended() == 100);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 150);
    end();
}

Test(admitted, what_waits_for_weight_can_be_purged_and_others_go_on)
{
    struct task_list purged;
    task_list_init(&purged);
    begin(hold);
    struct group *groups[] = {shop_weighed_group(4, 0, 0), shop_weighed_group(4, 0, 0)};
    shop_push(groups[0], &(struct shop_task){.weight = CAPACITY}, 2);
    SHOP_UNTIL(shop.inside == 1);
    shop_push(groups[1], &(struct shop_task){.weight = CAPACITY, .job = 1}, 10);
    executor_purge(shop.executor, shop.jobs[1], &purged);
    cr_assert_eq(shop_drop(&purged), 10);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 12);
    cr_assert_eq(shop.ended[TASK_SUCCEEDED], 2);
    end();
}

Test(admitted, a_job_at_its_cap_steps_aside_for_others_of_its_group_and_comes_back_in_order)
{
    begin(hold);
    shop.jobs[1]->max_weight = 1;
    struct group *group = shop_weighed_group(4, 0, 0);
    int64_t capped = shop_push(group, &(struct shop_task){.job = 1}, 6);
    int64_t free_ones = shop_push(group, &(struct shop_task){.job = 0}, 2);
    SHOP_UNTIL(shop.inside == 3);
    cr_assert_eq(group_load(group).queued, 5);
    shop_push(group, &(struct shop_task){.job = 1}, 4);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 12);
    int64_t last = capped - 1;
    for (int i = 0; i < 12; i++) {
        int64_t n = shop.started[i];
        if (n == free_ones || n == free_ones + 1)
            continue;
        cr_assert_gt(n, last, "%lld after %lld", (long long)n, (long long)last);
        last = n;
    }
    end();
}

enum { LINKS = 10000 };
static struct group *chain;
static _Atomic int brought;

static enum sluice_status bring_another(const struct sluice_call *call, int64_t n)
{
    (void)call;
    (void)n;
    if (brought++ < LINKS)
        shop_push(chain, &(struct shop_task){.job = 1}, 1);
    return SLUICE_OK;
}

Test(admitted, what_comes_while_a_batch_runs_does_not_go_before_what_stepped_aside)
{
    begin(bring_another);
    shop.jobs[1]->max_weight = 1;
    chain = shop_weighed_group(4, 0, 0);
    shop_push(chain, &(struct shop_task){.job = 1}, 20);
    SHOP_UNTIL(shop_ended() == LINKS + 20);
    for (int i = 0; i < LINKS + 20; i++)
        cr_assert_eq(shop.started[i], i, "%d was %lld", i, (long long)shop.started[i]);
    end();
}

Test(admitted, tasks_of_a_job_that_stepped_aside_can_be_purged)
{
    struct task_list purged;
    task_list_init(&purged);
    begin(hold);
    shop.jobs[1]->max_weight = 1;
    struct group *group = shop_weighed_group(3, 0, 0);
    shop_push(group, &(struct shop_task){.job = 1}, 50);
    shop_push(group, &(struct shop_task){.job = 0}, 2);
    SHOP_UNTIL(shop.inside == 3);
    executor_purge(shop.executor, shop.jobs[1], &purged);
    cr_assert_eq(shop_drop(&purged), 49);
    cr_assert_eq(group_load(group).queued, 0);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 52);
    end();
}

Test(admitted, a_paused_group_holds_up_nobody_who_waits_for_weight_behind_it)
{
    begin(hold);
    struct group *first = shop_weighed_group(1, 0, 0), *heavy = shop_weighed_group(1, 0, 0);
    struct group *light = shop_weighed_group(1, 0, 0);
    shop_push(first, &(struct shop_task){.weight = 15}, 1);
    SHOP_UNTIL(shop.inside == 1);
    shop_push(heavy, &(struct shop_task){.weight = CAPACITY}, 1);
    SHOP_UNTIL(admission_facts(shop.setup.admission).waits == 1);
    shop_push(light, &(struct shop_task){.weight = 1}, 1);
    SHOP_UNTIL(admission_facts(shop.setup.admission).waits == 2);
    group_pause(heavy);
    SHOP_UNTIL(shop.inside == 2);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 2);
    group_resume(heavy);
    SHOP_UNTIL(shop_ended() == 3);
    end();
}

static void pause_and_resume(void *groups)
{
    for (int i = 0; i < 3000; i++) {
        group_pause(((struct group **)groups)[i % 3]);
        group_resume(((struct group **)groups)[i % 3]);
    }
}

Test(admitted, pausing_and_resuming_under_load_loses_and_doubles_nothing)
{
    enum { TASKS = 6000 };
    struct group *groups[3];
    struct thread pauser;
    struct error error;
    begin(watch_weight);
    srand(9);
    shop.jobs[1]->max_weight = 5;
    for (int i = 0; i < 3; i++)
        groups[i] = shop_weighed_group(3, i == 1 ? 8 : 0, 0);
    cr_assert(thread_start(&pauser, "pauser", pause_and_resume, groups, &error));
    for (int i = 0; i < TASKS; i += 3)
        shop_push(groups[rand() % 3],
                  &(struct shop_task){.weight = rand() % 8 + 1,
                                      .priority = (int8_t)(rand() % 3),
                                      .job = rand() % 2},
                  3);
    SHOP_UNTIL(shop_ended() == TASKS);
    thread_join(&pauser);
    cr_assert_eq(over, 0);
    for (int n = 0; n < TASKS; n++)
        cr_assert_eq(shop.runs[n], 1);
    end();
}

static const struct task *pushed[64];

static void note_pushed(struct task *task)
{
    pushed[task->number] = task;
}

static void expect_why(struct group *group, uint32_t number, enum group_why why)
{
    struct group_reason reason = group_explain(group, pushed[number]);
    cr_assert_eq(reason.why, why, "task %u: %d", number, (int)reason.why);
}

Test(admitted, says_why_a_task_has_not_started)
{
    begin(hold);
    shop.each_pushed = note_pushed;
    struct group *busy = shop_weighed_group(1, 0, 0), *heavy = shop_weighed_group(2, 0, 0);
    struct group *capped = shop_weighed_group(2, 5, 0), *serial = shop_weighed_group(3, 0, 0);
    shop_push(busy, &(struct shop_task){.weight = 5}, 2); /* 0, 1 */
    SHOP_UNTIL(shop.inside == 1);
    expect_why(busy, 1, GROUP_IS_BUSY);
    shop_push(serial, &(struct shop_task){.type = SHOP_SERIAL}, 3); /* 2 to 4 */
    SHOP_UNTIL(shop.inside == 2);
    expect_why(serial, 3, GROUP_NEEDS_TURN);
    expect_why(serial, 4, GROUP_HAS_OTHERS);
    shop_push(capped, &(struct shop_task){.weight = 4}, 2); /* 5, 6 */
    SHOP_UNTIL(shop.inside == 3 && admission_facts(shop.setup.admission).waits == 1);
    expect_why(capped, 6, GROUP_NEEDS_WEIGHT);
    struct gate_reason weight = group_explain(capped, pushed[6]).weight;
    cr_assert_eq(weight.limit, GATE_OF_GROUP);
    cr_assert_eq(weight.needs, 4);
    cr_assert_eq(weight.in_use, 4);
    cr_assert_eq(weight.most, 5);
    shop_push(heavy, &(struct shop_task){.weight = 15}, 2); /* 7, 8 */
    SHOP_UNTIL(admission_facts(shop.setup.admission).waits == 2);
    expect_why(heavy, 7, GROUP_NEEDS_WEIGHT);
    weight = group_explain(heavy, pushed[7]).weight;
    cr_assert_eq(weight.limit, GATE_OF_HOST);
    cr_assert_eq(weight.in_use, 10);
    cr_assert_eq(weight.most, CAPACITY);
    expect_why(heavy, 8, GROUP_HAS_OTHERS);
    cr_assert_eq(group_explain(heavy, pushed[8]).queued, 2);
    group_pause(heavy);
    expect_why(heavy, 7, GROUP_IS_PAUSED);
    group_resume(heavy);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 9);
    end();
}

Test(admitted, says_that_a_task_waits_for_the_cap_of_its_job)
{
    begin(hold);
    shop.each_pushed = note_pushed;
    shop.jobs[0]->max_weight = 3;
    struct group *group = shop_weighed_group(4, 0, 0);
    shop_push(group, &(struct shop_task){.weight = 2}, 3);
    SHOP_UNTIL(shop.inside == 1 && admission_facts(shop.setup.admission).waits == 1);
    struct gate_reason weight = group_explain(group, pushed[2]).weight;
    cr_assert_eq(weight.limit, GATE_OF_JOB);
    cr_assert_eq(weight.in_use, 2);
    cr_assert_eq(weight.most, 3);
    struct party_facts party = admission_party_facts(shop.setup.admission, group_party(group));
    cr_assert_eq(party.in_use, 2);
    cr_assert_eq(party.waits, 1);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 3);
    end();
}
