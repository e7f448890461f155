#include <criterion/criterion.h>
#include <stdio.h>

#include "../await.h"
#include "accept/intake.h"
#include "support/thread.h"

/* The door, with whoever stands behind it. */
static struct door {
    struct intake intake;
    struct room pending;
    struct chunk_pool chunks;
    struct job *job;
    bool delays; /* whether tasks may wait for their time */
    struct task_list delayed, dropped;
    int64_t delayed_until_ns;
} door;

static bool delay(void *context, struct task *task, int64_t due_ns)
{
    cr_assert_eq(context, &door);
    if (!door.delays)
        return false;
    task_move(task, TASK_DELAYED);
    task_list_push(&door.delayed, task);
    door.delayed_until_ns = due_ns;
    return true;
}

static void drop(void *context, struct task_list *tasks)
{
    cr_assert_eq(context, &door);
    task_list_append(&door.dropped, tasks);
}

static void door_begin(size_t room, size_t inbound)
{
    struct error error;
    struct store_options options = {.describe = task_describe};
    room_init(&door.pending, room);
    chunk_pool_init(&door.chunks);
    task_list_init(&door.delayed);
    task_list_init(&door.dropped);
    door.job = job_create(&door.chunks, "door", "door.yaml", JOB_CHECKED);
    door.intake = (struct intake){.store = store_open("memory", &options, &error),
                                  .inbound = inbound_create(inbound),
                                  .pending = &door.pending,
                                  .figures = figures_create(),
                                  .context = &door,
                                  .delay = delay,
                                  .drop = drop};
    cr_assert_not_null(door.intake.store);
}

static void door_end(void)
{
    struct task_list rest;
    task_list_init(&rest);
    inbound_close(door.intake.inbound);
    inbound_take(door.intake.inbound, &rest);
    inbound_destroy(&door.intake.inbound);
    job_destroy(&door.job);
    store_close(&door.intake.store);
    figures_destroy(&door.intake.figures);
    chunk_pool_fini(&door.chunks);
    room_fini(&door.pending);
}

/* Makes count tasks whose delay is so long. */
static struct task_list tasks_of(uint32_t count, int64_t delay_ns)
{
    static const struct type type = {"any", 0};
    static struct task_list list;
    uint32_t first_line;
    task_list_init(&list);
    for (uint32_t i = 0; i < count; i++) {
        char id[32];
        int length = snprintf(id, sizeof id, "t-%u", door.job->tasks_count);
        struct task *task = job_add_task(door.job, id, (size_t)length, &first_line);
        task->type = &type;
        task->due_ns = delay_ns;
        task_list_push(&list, task);
    }
    return list;
}

struct submitter {
    struct thread thread;
    struct task_list list;
    bool goes_on;
};

static void submit(void *argument)
{
    struct submitter *submitter = argument;
    submitter->goes_on = intake_submit(&door.intake, &submitter->list);
}

static size_t room_waiting(void)
{
    MUTEX_GUARD(&door.pending.lock);
    return door.pending.waiting;
}

Test(intake, brings_tasks_in_ready_in_order_and_counted)
{
    door_begin(100, 100);
    struct task_list list = tasks_of(50, 0), taken;
    int64_t before_ns = clock_now_ns();
    task_list_init(&taken);
    cr_assert(intake_submit(&door.intake, &list));
    cr_assert_eq(list.count, 0);
    cr_assert(inbound_take(door.intake.inbound, &taken));
    cr_assert_eq(taken.count, 50);
    for (uint32_t i = 0; i < 50; i++) {
        struct task *task = task_list_pop(&taken);
        cr_assert_eq(task->number, i);
        cr_assert_eq(task->state, TASK_READY);
        cr_assert_geq(task->submitted_ns, before_ns);
        cr_assert_eq(task->due_ns, task->submitted_ns);
    }
    cr_assert_eq(door.job->submitted, 50);
    cr_assert_eq(room_taken(&door.pending), 50);
    door_end();
}

Test(intake, takes_an_empty_list)
{
    door_begin(10, 10);
    struct task_list list = tasks_of(0, 0);
    cr_assert(intake_submit(&door.intake, &list));
    cr_assert_eq(door.job->submitted, 0);
    door_end();
}

Test(intake, what_has_a_delay_waits_for_its_time_and_takes_room_too)
{
    door_begin(10, 10);
    door.delays = true;
    struct task_list list = tasks_of(1, 5 * NS_PER_S);
    int64_t before_ns = clock_now_ns();
    cr_assert(intake_submit(&door.intake, &list));
    cr_assert_eq(door.delayed.count, 1);
    cr_assert_geq(door.delayed_until_ns, before_ns + 5 * NS_PER_S);
    cr_assert_eq(inbound_length(door.intake.inbound), 0);
    cr_assert_eq(room_taken(&door.pending), 1);
    cr_assert_eq(door.job->submitted, 1);
    door_end();
}

Test(intake, a_delay_for_ever_does_not_overflow)
{
    door_begin(10, 10);
    door.delays = true;
    struct task_list list = tasks_of(1, INT64_MAX);
    cr_assert(intake_submit(&door.intake, &list));
    cr_assert_eq(door.delayed_until_ns, CLOCK_NEVER_NS);
    door_end();
}

Test(intake, what_may_not_wait_any_more_comes_in_at_once)
{
    door_begin(10, 10);
    struct task_list list = tasks_of(1, 5 * NS_PER_S);
    cr_assert(intake_submit(&door.intake, &list));
    cr_assert_eq(inbound_length(door.intake.inbound), 1);
    door_end();
}

Test(intake, the_producer_waits_for_room_in_the_host)
{
    struct submitter submitter;
    door_begin(4, 100);
    submitter.list = tasks_of(10, 0);
    cr_assert(thread_start(&submitter.thread, "submitter", submit, &submitter, NULL));
    AWAIT(room_waiting() == 1);
    cr_assert_eq(room_taken(&door.pending), 4);
    cr_assert_eq(door.job->submitted, 4);
    room_give(&door.pending, 4);
    AWAIT(room_waiting() == 1 && door.job->submitted == 8);
    room_give(&door.pending, 4);
    thread_join(&submitter.thread);
    cr_assert(submitter.goes_on);
    cr_assert_eq(door.job->submitted, 10);
    cr_assert_eq(inbound_length(door.intake.inbound), 10);
    door_end();
}

Test(intake, the_producer_waits_for_room_in_inbound)
{
    struct submitter submitter;
    struct task_list taken;
    door_begin(100, 4);
    task_list_init(&taken);
    submitter.list = tasks_of(10, 0);
    cr_assert(thread_start(&submitter.thread, "submitter", submit, &submitter, NULL));
    while (taken.count < 10)
        inbound_take(door.intake.inbound, &taken);
    thread_join(&submitter.thread);
    cr_assert(submitter.goes_on);
    for (uint32_t i = 0; i < 10; i++)
        cr_assert_eq(task_list_pop(&taken)->number, i);
    door_end();
}

Test(intake, a_job_that_stops_has_its_tasks_dropped_but_counted)
{
    door_begin(4, 100);
    struct task_list list = tasks_of(10, 0);
    door.job->stop = JOB_FAILED_FAST;
    cr_assert_not(intake_submit(&door.intake, &list));
    cr_assert_eq(door.dropped.count, 10);
    cr_assert_eq(door.job->submitted, 10);
    cr_assert_eq(room_taken(&door.pending), 10);
    door_end();
}

Test(intake, when_the_host_stops_while_a_producer_waits_the_rest_is_dropped)
{
    struct submitter submitter;
    door_begin(4, 100);
    submitter.list = tasks_of(10, 0);
    cr_assert(thread_start(&submitter.thread, "submitter", submit, &submitter, NULL));
    AWAIT(room_waiting() == 1);
    room_close(&door.pending);
    thread_join(&submitter.thread);
    cr_assert_not(submitter.goes_on);
    cr_assert_eq(door.dropped.count, 6);
    cr_assert_eq(door.dropped.head->state, TASK_ACCEPTED);
    cr_assert_eq(door.job->submitted, 10);
    cr_assert_eq(room_taken(&door.pending), 10);
    door_end();
}

Test(intake, when_inbound_is_closed_while_a_producer_waits_the_rest_is_dropped)
{
    struct submitter submitter;
    door_begin(100, 4);
    submitter.list = tasks_of(10, 0);
    cr_assert(thread_start(&submitter.thread, "submitter", submit, &submitter, NULL));
    AWAIT(inbound_length(door.intake.inbound) == 4);
    inbound_close(door.intake.inbound);
    thread_join(&submitter.thread);
    cr_assert_eq(door.dropped.count, 6);
    cr_assert_eq(door.dropped.head->number, 4);
    cr_assert_eq(door.dropped.head->state, TASK_READY);
    door_end();
}

Test(intake, tasks_that_have_room_enter_although_there_is_no_more)
{
    door_begin(3, 100);
    struct task_list list = tasks_of(3, 0);
    cr_assert(room_reserve(&door.pending, 3));
    intake_note(&door.intake, &list);
    intake_enter(&door.intake, &list);
    cr_assert_eq(list.count, 0);
    cr_assert_eq(inbound_length(door.intake.inbound), 3);
    cr_assert_eq(room_taken(&door.pending), 3, "no room is taken twice");
    cr_assert_eq(door.job->submitted, 3);
    door_end();
}
