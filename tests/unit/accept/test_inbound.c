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

/* One taker and the pushers that may serve in its place. */
static struct desk {
    struct inbound *inbound;
    struct thread taker;
    _Atomic int inside, inside_most; /* threads that do a taker's work */
    _Atomic uint32_t next;           /* the number of the task that is to come next */
    _Atomic bool mixed_up;
    _Atomic int served;         /* by pushers */
    _Atomic bool hold, is_over; /* serve waits while hold is set; the taker was sent home */
} desk;

static void work(struct task_list *tasks)
{
    int inside = atomic_fetch_add(&desk.inside, 1) + 1;
    if (inside > desk.inside_most)
        desk.inside_most = inside;
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;)
        if (task->number != atomic_fetch_add(&desk.next, 1))
            desk.mixed_up = true;
    atomic_fetch_sub(&desk.inside, 1);
}

static void serve(void *context, struct task_list *tasks)
{
    cr_assert_eq(context, &desk);
    desk.served++;
    AWAIT(!desk.hold);
    work(tasks);
}

static void take_in_turn(void *unused)
{
    (void)unused;
    struct task_list list;
    task_list_init(&list);
    while (inbound_take(desk.inbound, &list))
        work(&list);
    desk.is_over = true;
}

static void desk_begin(size_t capacity, size_t least)
{
    desk.inbound = inbound_create(capacity);
    inbound_set_serve(desk.inbound, 1, &(struct inbound_serve){least, &desk, serve});
    cr_assert(thread_start(&desk.taker, "taker", take_in_turn, NULL, NULL));
}

static void desk_end(void)
{
    inbound_close(desk.inbound);
    thread_join(&desk.taker);
    inbound_destroy(&desk.inbound);
}

/* Pushes one task after another until a pusher has served. */
static void push_until_served(struct task *tasks, uint32_t from, uint32_t count)
{
    struct task_list list;
    for (uint32_t i = from; i < count && desk.served == 0; i++) {
        fill(&list, &tasks[i], 1);
        tasks[i].number = i;
        inbound_push(desk.inbound, &list);
        AWAIT(desk.served > 0 || desk.next == i + 1);
    }
}

Test(inbound, a_pusher_serves_while_the_taker_waits_and_the_order_stays)
{
    enum { COUNT = 20000, AT_ONCE = 7 };
    static struct task tasks[2 * COUNT];
    struct task_list list;
    desk_begin(5, 1);
    for (uint32_t i = 0; i < COUNT; i += AT_ONCE) {
        uint32_t count = COUNT - i < AT_ONCE ? COUNT - i : AT_ONCE;
        fill(&list, &tasks[i], count);
        for (uint32_t k = 0; k < count; k++)
            tasks[i + k].number = i + k;
        inbound_push(desk.inbound, &list);
        cr_assert_eq(list.count, 0);
    }
    push_until_served(tasks, COUNT, 2 * COUNT);
    cr_assert_gt(desk.served, 0);
    desk_end();
    cr_assert_geq(desk.next, COUNT);
    cr_assert_not(desk.mixed_up);
    cr_assert_eq(desk.inside_most, 1);
}

Test(inbound, closing_waits_for_a_pusher_that_serves)
{
    static struct task tasks[1000], more;
    struct task_list list, late;
    struct pusher pusher;
    desk.hold = true;
    desk_begin(5, 1);
    for (uint32_t i = 0; i < 1000 && desk.served == 0; i++) {
        fill(&list, &tasks[i], 1);
        tasks[i].number = i;
        pusher_start(&pusher, desk.inbound, &list);
        AWAIT(desk.served > 0 || (pusher.done && desk.next == i + 1));
        if (desk.served == 0)
            thread_join(&pusher.thread);
    }
    uint32_t before = desk.next;
    fill(&late, &more, 1);
    more.number = before + 1;
    inbound_push(desk.inbound, &late); /* queued, for the taker */
    inbound_close(desk.inbound);
    cr_assert_eq(desk.next, before);
    cr_assert_not(desk.is_over);
    desk.hold = false;
    thread_join(&pusher.thread);
    AWAIT(desk.is_over);
    cr_assert_eq(desk.next, before + 2);
    cr_assert_not(desk.mixed_up);
    desk_end();
}

Test(inbound, few_tasks_are_left_to_the_taker)
{
    enum { COUNT = 1000, FEW = 3 };
    static struct task tasks[COUNT];
    struct task_list list;
    desk_begin(100, FEW + 1);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t count = COUNT - i < FEW ? COUNT - i : FEW;
        fill(&list, &tasks[i], count);
        for (uint32_t k = 0; k < count; k++)
            tasks[i + k].number = i + k;
        inbound_push(desk.inbound, &list);
        i += count - 1;
        AWAIT(desk.next == i + 1);
    }
    cr_assert_eq(desk.served, 0);
    cr_assert_not(desk.mixed_up);
    desk_end();
}

Test(inbound, who_queues_never_serves)
{
    enum { COUNT = 1000 };
    static struct task tasks[COUNT];
    struct task_list list;
    desk_begin(100, 1);
    for (uint32_t i = 0; i < COUNT; i++) {
        fill(&list, &tasks[i], 1);
        tasks[i].number = i;
        inbound_queue(desk.inbound, &list);
        AWAIT(desk.next == i + 1);
    }
    cr_assert_eq(desk.served, 0);
    desk_end();
}
