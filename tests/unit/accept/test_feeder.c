#include <criterion/criterion.h>

#include "../await.h"
#include "accept/feeder.h"

enum { COUNT = 100, CAPACITY = 10 };

static struct task tasks[COUNT];

static void fill(struct task_list *list, uint32_t from, uint32_t to)
{
    task_list_init(list);
    for (uint32_t i = from; i < to; i++) {
        tasks[i] = (struct task){.number = i};
        task_list_push(list, &tasks[i]);
    }
}

static struct feeder *feeder_of(struct inbound *inbound)
{
    struct error error;
    struct feeder *feeder = feeder_start(inbound, &error);
    cr_assert_not_null(feeder);
    return feeder;
}

Test(feeder, feeds_what_is_released_in_order_without_making_anyone_wait)
{
    struct task_list list;
    struct inbound *inbound = inbound_create(CAPACITY);
    struct feeder *feeder = feeder_of(inbound);
    uint32_t next = 0;
    for (uint32_t i = 0; i < COUNT; i += 25) {
        fill(&list, i, i + 25);
        feeder_release(feeder, &list);
        cr_assert_eq(list.count, 0);
    }
    while (next < COUNT && inbound_take(inbound, &list)) {
        cr_assert_leq(list.count, CAPACITY);
        for (struct task *task; (task = task_list_pop(&list)) != NULL;)
            cr_assert_eq(task->number, next++);
    }
    inbound_close(inbound);
    feeder_close(feeder, &list);
    feeder_destroy(&feeder);
    cr_assert_null(feeder);
    cr_assert_eq(list.count, 0);
    inbound_destroy(&inbound);
}

Test(feeder, gives_back_in_order_what_it_could_not_feed)
{
    struct task_list list, left;
    struct inbound *inbound = inbound_create(CAPACITY);
    struct feeder *feeder = feeder_of(inbound);
    task_list_init(&left);
    fill(&list, 0, 50);
    feeder_release(feeder, &list);
    AWAIT(inbound_length(inbound) == CAPACITY);
    fill(&list, 50, COUNT);
    feeder_release(feeder, &list);
    inbound_close(inbound);
    feeder_close(feeder, &left);
    feeder_destroy(&feeder);
    for (uint32_t i = CAPACITY; i < COUNT; i++)
        cr_assert_eq(task_list_pop(&left)->number, i);
    cr_assert_eq(left.count, 0);
    cr_assert(inbound_take(inbound, &list));
    cr_assert_eq(list.count, CAPACITY);
    inbound_destroy(&inbound);
}

Test(feeder, keeps_what_is_released_after_inbound_was_closed)
{
    struct task_list list, left;
    struct inbound *inbound = inbound_create(CAPACITY);
    struct feeder *feeder = feeder_of(inbound);
    task_list_init(&left);
    inbound_close(inbound);
    for (uint32_t i = 0; i < COUNT; i++) {
        fill(&list, i, i + 1);
        feeder_release(feeder, &list);
    }
    feeder_close(feeder, &left);
    feeder_destroy(&feeder);
    cr_assert_eq(left.count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        cr_assert_eq(task_list_pop(&left)->number, i);
    inbound_destroy(&inbound);
}

Test(feeder, that_was_never_used_stops)
{
    struct task_list left;
    struct inbound *inbound = inbound_create(CAPACITY);
    struct feeder *feeder = feeder_of(inbound);
    task_list_init(&left);
    inbound_close(inbound);
    feeder_close(feeder, &left);
    feeder_destroy(&feeder);
    feeder_destroy(&feeder);
    cr_assert_eq(left.count, 0);
    inbound_destroy(&inbound);
}

Test(feeder, takes_nothing_any_more_once_it_is_closed)
{
    struct task_list list, left;
    struct inbound *inbound = inbound_create(CAPACITY);
    struct feeder *feeder = feeder_of(inbound);
    task_list_init(&left);
    inbound_close(inbound);
    feeder_close(feeder, &left);
    fill(&list, 0, 3);
    feeder_release(feeder, &list);
    cr_assert_eq(list.count, 3);
    cr_assert_eq(left.count, 0);
    feeder_destroy(&feeder);
    inbound_destroy(&inbound);
}
