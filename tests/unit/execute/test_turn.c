/* SERIAL types in groups that serve others, too: who waits for a turn holds up nobody else. */
#include <stdlib.h>

#include "shop.h"

enum { CAPACITY = 20, FIRST_SERIAL = 3 };

static int64_t held = FIRST_SERIAL;

/* The first tasks, which are of the SERIAL type, are held up one by one. */
static enum sluice_status hold_first(const struct sluice_call *call, int64_t n)
{
    (void)call;
    if (n < held)
        shop_hold((int)n + 1);
    return SLUICE_OK;
}

static void begin(enum sluice_status (*act)(const struct sluice_call *call, int64_t n))
{
    shop_begin(&(struct shop_setup){.act = act, .serves_many = true});
}

Test(turn, what_waits_for_it_steps_aside_for_others_and_comes_back_in_order)
{
    begin(hold_first);
    struct group *group = shop_group("all", 3);
    shop_push(group, &(struct shop_task){.type = SHOP_SERIAL}, FIRST_SERIAL);
    shop_push(group, &(struct shop_task){.type = SHOP_PLAIN}, 50);
    SHOP_UNTIL(shop_ended() == 50 && shop.inside == 1);
    cr_assert_eq(group_load(group).queued, 2);
    for (int step = 1; step <= FIRST_SERIAL; step++) {
        shop_open(step);
        SHOP_UNTIL(shop_ended() == 50 + step);
    }
    for (int n = 0; n < FIRST_SERIAL; n++)
        cr_assert_eq(shop.runs[n], 1);
    shop_end();
}

static int place_of(int64_t n)
{
    int place = 0;
    while (shop.started[place] != n)
        place++;
    return place;
}

Test(turn, what_comes_with_a_higher_priority_goes_before_what_stepped_aside)
{
    begin(hold_first);
    struct group *group = shop_group("all", 2);
    shop_push(group, &(struct shop_task){.type = SHOP_SERIAL}, 1);
    SHOP_UNTIL(shop.inside == 1);
    int64_t low = shop_push(group, &(struct shop_task){.type = SHOP_SERIAL}, 2);
    int64_t later = shop_push(group, &(struct shop_task){.type = SHOP_SERIAL}, 1);
    int64_t high = shop_push(group, &(struct shop_task){.type = SHOP_SERIAL, .priority = 5}, 1);
    SHOP_UNTIL(group_load(group).queued == 4);
    shop_open(FIRST_SERIAL);
    SHOP_UNTIL(shop_ended() == 5);
    cr_assert_eq(place_of(high), 1);
    cr_assert_eq(place_of(low), 2);
    cr_assert_eq(place_of(later), 4);
    shop_end();
}

Test(turn, that_comes_free_in_one_group_is_taken_in_another)
{
    held = 2;
    begin(hold_first);
    struct group *one = shop_group("one", 2), *other = shop_group("other", 2);
    shop_push(one, &(struct shop_task){.type = SHOP_SERIAL}, 1);
    SHOP_UNTIL(shop.inside == 1);
    shop_push(other, &(struct shop_task){.type = SHOP_SERIAL}, 1);
    shop_push(other, &(struct shop_task){.type = SHOP_PLAIN}, 10);
    shop_push(other, &(struct shop_task){.type = SHOP_OTHER}, 10);
    SHOP_UNTIL(shop_ended() == 20);
    shop_open(1);
    SHOP_UNTIL(shop.inside == 1 && shop_ended() == 21);
    shop_open(2);
    SHOP_UNTIL(shop_ended() == 22);
    shop_end();
}

Test(turn, what_waits_for_it_can_be_purged)
{
    struct task_list purged;
    task_list_init(&purged);
    begin(hold_first);
    struct group *group = shop_group("all", 3);
    shop_push(group, &(struct shop_task){.type = SHOP_SERIAL}, 1);
    SHOP_UNTIL(shop.inside == 1);
    shop_push(group, &(struct shop_task){.type = SHOP_SERIAL, .job = 1}, 30);
    shop_push(group, &(struct shop_task){.type = SHOP_PLAIN}, 1);
    SHOP_UNTIL(shop_ended() == 1); /* so all of the others are aside */
    executor_purge(shop.executor, shop.jobs[1], &purged);
    cr_assert_eq(shop_drop(&purged), 30);
    cr_assert_eq(group_load(group).queued, 0);
    shop_open(FIRST_SERIAL);
    SHOP_UNTIL(shop_ended() == 32);
    shop_end();
}

static const struct task *pushed[8];

static void note_pushed(struct task *task)
{
    pushed[task->number] = task;
}

Test(turn, says_that_a_task_waits_for_it)
{
    begin(hold_first);
    shop.each_pushed = note_pushed;
    struct group *group = shop_group("all", 3);
    shop_push(group, &(struct shop_task){.type = SHOP_SERIAL}, 3);
    shop_push(group, &(struct shop_task){.type = SHOP_PLAIN}, 1);
    SHOP_UNTIL(shop_ended() == 1);
    cr_assert_eq(group_explain(group, pushed[1]).why, GROUP_NEEDS_TURN);
    cr_assert_eq(group_explain(group, pushed[2]).why, GROUP_NEEDS_TURN);
    shop_open(FIRST_SERIAL);
    SHOP_UNTIL(shop_ended() == 4);
    shop_end();
}

static _Atomic int serial_inside, overlaps;

/* Every third task is of the SERIAL type. */
static enum sluice_status watch_overlap(const struct sluice_call *call, int64_t n)
{
    (void)call;
    if (n % 3 == 0)
        overlaps += atomic_fetch_add(&serial_inside, 1) > 0;
    if (n % 7 == 0)
        sched_yield();
    if (n % 3 == 0)
        atomic_fetch_sub(&serial_inside, 1);
    return SLUICE_OK;
}

Test(turn, with_caps_of_jobs_and_all_priorities_every_task_runs_once_and_none_overlap)
{
    enum { TASKS = 9000, GROUPS = 3 };
    static const enum shop_type others[] = {SHOP_PLAIN, SHOP_OTHER};
    struct admission *admission = admission_create(CAPACITY);
    struct group *groups[GROUPS];
    shop_begin(
        &(struct shop_setup){.act = watch_overlap, .serves_many = true, .admission = admission});
    srand(11);
    shop.jobs[1]->max_weight = 3;
    for (int i = 0; i < GROUPS; i++)
        groups[i] = shop_weighed_group(3, i == 1 ? 8 : 0, 0);
    for (int n = 0; n < TASKS; n++)
        shop_push(groups[rand() % GROUPS],
                  &(struct shop_task){.type = n % 3 == 0 ? SHOP_SERIAL : others[n % 2],
                                      .weight = rand() % 4 + 1,
                                      .priority = (int8_t)(rand() % 3),
                                      .job = rand() % 2},
                  1);
    SHOP_UNTIL(shop_ended() == TASKS);
    cr_assert_eq(overlaps, 0);
    for (int n = 0; n < TASKS; n++)
        cr_assert_eq(shop.runs[n], 1);
    shop_end();
    admission_destroy(&admission);
}
