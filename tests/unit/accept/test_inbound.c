#include <criterion/criterion.h>
#include <stdatomic.h>

#include "../await.h"
#include "accept/inbound.h"
#include "support/thread.h"

/* Tasks with numbers from 0, in a list. */
static void fill(struct task_list *list, struct task *tasks, uint32_t count)
{
    task_list_init(list);
    for (uint32_t i = 0; i < count; i++) {
        tasks[i] = (struct task){.number = i};
        task_list_push(list, &tasks[i]);
    }
}

struct pusher {
    struct thread thread;
    struct inbound *inbound;
    struct task_list *tasks;
    _Atomic bool done;
};

static void push(void *argument)
{
    struct pusher *pusher = argument;
    inbound_push(pusher->inbound, pusher->tasks);
    atomic_store(&pusher->done, true);
}

static void pusher_start(struct pusher *pusher, struct inbound *inbound, struct task_list *tasks)
{
    *pusher = (struct pusher){.inbound = inbound, .tasks = tasks};
    cr_assert(thread_start(&pusher->thread, "pusher", push, pusher, NULL));
}

Test(inbound, gives_out_what_came_in_in_order)
{
    struct task tasks[5];
    struct task_list list;
    struct inbound *inbound = inbound_create(8);
    fill(&list, tasks, 5);
    inbound_push(inbound, &list);
    cr_assert_eq(list.count, 0);
    cr_assert_eq(inbound_length(inbound), 5);
    cr_assert(inbound_take(inbound, &list));
    cr_assert_eq(inbound_length(inbound), 0);
    for (uint32_t i = 0; i < 5; i++)
        cr_assert_eq(task_list_pop(&list)->number, i);
    inbound_destroy(&inbound);
    cr_assert_null(inbound);
}

Test(inbound, never_holds_more_than_its_capacity)
{
    enum { COUNT = 1000, CAPACITY = 3 };
    static struct task tasks[COUNT];
    struct task_list in, out;
    struct pusher pusher;
    struct inbound *inbound = inbound_create(CAPACITY);
    uint32_t next = 0;
    fill(&in, tasks, COUNT);
    task_list_init(&out);
    pusher_start(&pusher, inbound, &in);
    while (next < COUNT && inbound_take(inbound, &out)) {
        cr_assert_leq(out.count, CAPACITY);
        for (struct task *task; (task = task_list_pop(&out)) != NULL;)
            cr_assert_eq(task->number, next++);
    }
    thread_join(&pusher.thread);
    inbound_destroy(&inbound);
}

Test(inbound, a_pusher_waits_until_there_is_room)
{
    struct task tasks[3];
    struct task_list in, out;
    struct pusher pusher;
    struct inbound *inbound = inbound_create(2);
    fill(&in, tasks, 3);
    task_list_init(&out);
    pusher_start(&pusher, inbound, &in);
    AWAIT(inbound_length(inbound) == 2);
    cr_assert_not(atomic_load(&pusher.done));
    inbound_take(inbound, &out);
    AWAIT(atomic_load(&pusher.done));
    inbound_take(inbound, &out);
    cr_assert_eq(out.count, 3);
    thread_join(&pusher.thread);
    inbound_destroy(&inbound);
}

Test(inbound, closing_leaves_what_did_not_fit_with_its_pusher)
{
    struct task tasks[5];
    struct task_list in, out;
    struct pusher pusher;
    struct inbound *inbound = inbound_create(2);
    fill(&in, tasks, 5);
    task_list_init(&out);
    pusher_start(&pusher, inbound, &in);
    AWAIT(inbound_length(inbound) == 2);
    inbound_close(inbound);
    thread_join(&pusher.thread);
    cr_assert_eq(in.count, 3);
    cr_assert_eq(in.head->number, 2);
    cr_assert(inbound_take(inbound, &out));
    cr_assert_eq(out.count, 2);
    task_list_init(&out);
    cr_assert_not(inbound_take(inbound, &out));
    inbound_destroy(&inbound);
}

Test(inbound, takes_nothing_after_it_was_closed)
{
    struct task tasks[1];
    struct task_list list;
    struct inbound *inbound = inbound_create(2);
    fill(&list, tasks, 1);
    inbound_close(inbound);
    inbound_push(inbound, &list);
    cr_assert_eq(list.count, 1);
    inbound_destroy(&inbound);
}

struct counter {
    struct thread thread;
    struct inbound *inbound;
    _Atomic size_t *counted;
    _Atomic int *left;
};

static void count_until_closed(void *argument)
{
    struct counter *counter = argument;
    struct task_list list;
    task_list_init(&list);
    while (inbound_take(counter->inbound, &list)) {
        atomic_fetch_add(counter->counted, list.count);
        task_list_init(&list);
    }
    atomic_fetch_add(counter->left, 1);
}

Test(inbound, closing_sends_every_taker_home)
{
    struct counter counters[3];
    _Atomic size_t counted = 0;
    _Atomic int left = 0;
    struct inbound *inbound = inbound_create(2);
    for (int i = 0; i < 3; i++) {
        counters[i] = (struct counter){.inbound = inbound, .counted = &counted, .left = &left};
        cr_assert(
            thread_start(&counters[i].thread, "taker", count_until_closed, &counters[i], NULL));
    }
    inbound_close(inbound);
    AWAIT(left == 3);
    for (int i = 0; i < 3; i++)
        thread_join(&counters[i].thread);
    inbound_destroy(&inbound);
}

Test(inbound, many_pushers_and_takers_lose_and_double_nothing)
{
    enum { SIDES = 3, EACH = 5000 };
    static struct task tasks[SIDES][EACH];
    struct task_list lists[SIDES];
    struct pusher pushers[SIDES];
    struct counter counters[SIDES];
    _Atomic size_t counted = 0;
    _Atomic int left = 0;
    struct inbound *inbound = inbound_create(5);
    for (int i = 0; i < SIDES; i++) {
        fill(&lists[i], tasks[i], EACH);
        pusher_start(&pushers[i], inbound, &lists[i]);
        counters[i] = (struct counter){.inbound = inbound, .counted = &counted, .left = &left};
        cr_assert(
            thread_start(&counters[i].thread, "taker", count_until_closed, &counters[i], NULL));
    }
    for (int i = 0; i < SIDES; i++)
        thread_join(&pushers[i].thread);
    inbound_close(inbound);
    for (int i = 0; i < SIDES; i++)
        thread_join(&counters[i].thread);
    cr_assert_eq(counted, SIDES * EACH);
    inbound_destroy(&inbound);
}
