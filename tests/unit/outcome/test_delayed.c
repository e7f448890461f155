#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "accept/job.h"
#include "outcome/delayed.h"
#include "support/clock.h"
#include "support/thread.h"

static struct delayed *delayed;
static struct job jobs[2];
static _Atomic int wakes;

static void wake(void *context)
{
    cr_assert_eq(context, &wakes);
    wakes++;
}

static void delayed_begin(void)
{
    delayed = delayed_create(wake, &wakes);
}

static void delayed_end(void)
{
    struct task_list rest;
    task_list_init(&rest);
    delayed_close(delayed, &rest);
    delayed_destroy(&delayed);
    if (delayed != NULL)
        abort(); /* Criterion does not count what is asserted here */
    delayed_destroy(&delayed);
}

TestSuite(delayed, .init = delayed_begin, .fini = delayed_end);

static bool add(struct task *task, int job, int64_t due_ns)
{
    *task = (struct task){.id = "t", .job = &jobs[job]};
    return delayed_add(delayed, task, due_ns);
}

static int64_t release(int64_t now_ns, struct task_list *due)
{
    task_list_init(due);
    return delayed_release(delayed, now_ns, due);
}

Test(delayed, has_nothing_due_while_it_is_empty)
{
    struct task_list due;
    cr_assert_eq(release(CLOCK_NEVER_NS - 1, &due), CLOCK_NEVER_NS);
    cr_assert_eq(due.count, 0);
}

Test(delayed, releases_what_is_due_ready_and_says_when_the_next_will_be)
{
    static struct task tasks[3];
    struct task_list due;
    for (int i = 0; i < 3; i++)
        cr_assert(add(&tasks[i], 0, 10 * (i + 1)));
    cr_assert_eq(tasks[0].state, TASK_DELAYED);
    cr_assert_eq(release(9, &due), 10);
    cr_assert_eq(due.count, 0);
    cr_assert_eq(release(20, &due), 30);
    cr_assert_eq(due.count, 2);
    cr_assert_eq(due.head, &tasks[0]);
    cr_assert_eq(tasks[0].state, TASK_READY);
    cr_assert_eq(tasks[0].due_ns, 10);
    cr_assert_eq(delayed_count(delayed), 1);
}

Test(delayed, releases_a_random_load_in_the_order_of_its_times)
{
    enum { COUNT = 5000 };
    static struct task tasks[COUNT];
    struct task_list due;
    int64_t last_ns = 0;
    srand(3);
    for (int i = 0; i < COUNT; i++)
        add(&tasks[i], i % 2, rand() % 1000 + 1);
    for (int64_t now_ns = 0; now_ns <= 1000; now_ns += 100) {
        release(now_ns, &due);
        for (struct task *task; (task = task_list_pop(&due)) != NULL; last_ns = task->due_ns) {
            cr_assert_geq(task->due_ns, last_ns);
            cr_assert_leq(task->due_ns, now_ns);
        }
    }
    cr_assert_eq(delayed_count(delayed), 0);
}

Test(delayed, wakes_only_for_a_task_that_is_due_before_all_others)
{
    static struct task tasks[4];
    struct task_list due;
    add(&tasks[0], 0, 100);
    cr_assert_eq(wakes, 1);
    add(&tasks[1], 0, 200);
    add(&tasks[2], 0, 100);
    cr_assert_eq(wakes, 1);
    add(&tasks[3], 0, 50);
    cr_assert_eq(wakes, 2);
    release(300, &due);
    add(&tasks[0], 0, 400);
    cr_assert_eq(wakes, 3);
}

Test(delayed, a_task_that_is_never_due_wakes_nobody_and_stays)
{
    static struct task task;
    struct task_list due;
    cr_assert(add(&task, 0, CLOCK_NEVER_NS));
    cr_assert_eq(wakes, 0);
    cr_assert_eq(release(CLOCK_NEVER_NS - 1, &due), CLOCK_NEVER_NS);
    cr_assert_eq(due.count, 0);
    cr_assert_eq(delayed_count(delayed), 1);
}

Test(delayed, purging_a_job_leaves_the_others_in_order)
{
    enum { COUNT = 100 };
    static struct task tasks[COUNT];
    struct task_list purged, due;
    task_list_init(&purged);
    for (int i = 0; i < COUNT; i++)
        add(&tasks[i], i % 2, COUNT - i);
    jobs[0].stop = JOB_FAILED_FAST;
    delayed_purge(delayed, &jobs[0], &purged);
    jobs[0].stop = JOB_GOES_ON;
    cr_assert_eq(purged.count, COUNT / 2);
    for (struct task *task; (task = task_list_pop(&purged)) != NULL;) {
        cr_assert_eq(task->job, &jobs[0]);
        cr_assert_eq(task->state, TASK_DELAYED);
    }
    release(COUNT, &due);
    cr_assert_eq(due.count, COUNT / 2);
    for (int i = COUNT - 1; i > 0; i -= 2)
        cr_assert_eq(task_list_pop(&due), &tasks[i]);
    cr_assert(add(&tasks[0], 0, 5));
}

Test(delayed, purging_a_job_that_failed_fast_leaves_what_runs_always)
{
    static struct task always, stopped;
    struct task_list purged, due;
    task_list_init(&purged);
    add(&always, 0, 10);
    always.when = WHEN_ALWAYS;
    add(&stopped, 0, 10);
    jobs[0].stop = JOB_FAILED_FAST;
    delayed_purge(delayed, &jobs[0], &purged);
    cr_assert_eq(purged.count, 1);
    cr_assert_eq(purged.head, &stopped);
    release(10, &due);
    cr_assert_eq(due.head, &always);
    jobs[0].stop = JOB_GOES_ON;
}

Test(delayed, closing_it_takes_everything_out)
{
    static struct task task, late;
    struct task_list purged;
    task_list_init(&purged);
    add(&task, 0, 5);
    delayed_close(delayed, &purged);
    cr_assert_eq(purged.head, &task);
    cr_assert_not(add(&late, 1, 7));
    cr_assert_eq(late.state, TASK_ACCEPTED);
    cr_assert_eq(late.due_ns, 0);
}

Test(delayed, takes_no_task_of_a_job_that_stops)
{
    static struct task task;
    jobs[1].stop = JOB_FAILED_FAST;
    cr_assert_not(add(&task, 1, 7));
    cr_assert_eq(task.state, TASK_ACCEPTED);
    cr_assert(add(&task, 0, 7));
}

enum { ADDERS = 4, EACH = 500 };

struct adder {
    struct thread thread;
    struct task tasks[EACH];
};

static void add_many(void *argument)
{
    struct adder *adder = argument;
    for (int i = 0; i < EACH; i++)
        add(&adder->tasks[i], 0, i * 7 % EACH + 1);
}

Test(delayed, takes_tasks_from_many_threads_while_it_releases)
{
    static struct adder adders[ADDERS];
    struct task_list due;
    size_t released = 0;
    for (int i = 0; i < ADDERS; i++)
        cr_assert(thread_start(&adders[i].thread, "adder", add_many, &adders[i], NULL));
    while (released < ADDERS * EACH) {
        release(EACH, &due);
        released += due.count;
    }
    for (int i = 0; i < ADDERS; i++)
        thread_join(&adders[i].thread);
    cr_assert_eq(released, ADDERS * EACH);
    cr_assert_eq(delayed_count(delayed), 0);
}

Test(delayed, waits_for_dates_by_the_wall_clock)
{
    static struct task tasks[3];
    struct task_list due;
    int64_t wall_ns = clock_wall_ns(), now_ns = 5 * NS_PER_S;
    cr_assert(add(&tasks[0], 0, -(wall_ns + 3600 * NS_PER_S)));
    cr_assert(add(&tasks[1], 0, -(wall_ns - NS_PER_S)));
    cr_assert(add(&tasks[2], 0, 3600 * NS_PER_S));
    cr_assert_eq(delayed_count(delayed), 3);
    int64_t next_ns = release(now_ns, &due);
    cr_assert_eq(due.count, 1);
    cr_assert_eq(due.head, &tasks[1]);
    cr_assert_eq(tasks[1].due_ns, now_ns);
    cr_assert_gt(next_ns, now_ns);
    cr_assert_leq(next_ns, now_ns + NS_PER_S); /* the clock may be set meanwhile */
}
