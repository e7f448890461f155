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
