/* Who waits for whom while tasks run: a checked job with its dependents, a streamed one with its
 * window, asked the same questions through the job. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "accept/job.h"
#include "accept/window.h"
#include "support/thread.h"

enum { TASKS_MOST = 3000 };

static struct chunk_pool pool;
static struct job *job;
static struct task *tasks[TASKS_MOST];
static struct task_list released;

static void job_begin(enum job_mode mode)
{
    chunk_pool_init(&pool);
    job = job_create(&pool, "needs", "needs.yaml", mode);
    task_list_init(&released);
}

static void job_end(void)
{
    for (uint32_t i = 0; i < job->tasks_count; i++)
        chunk_release(tasks[i]->chunk, 1);
    job_seal(job);
    job_destroy(&job);
    chunk_pool_fini(&pool);
}

static uint32_t add_task(void)
{
    char id[16];
    uint32_t first_line;
    int length = snprintf(id, sizeof id, "t%u", job->tasks_count);
    struct task *task = job_add_task(job, id, (size_t)length, &first_line);
    tasks[task->number] = task;
    return task->number;
}

/* Says what the task added last needs. */
static void need(const uint32_t *needed, size_t count)
{
    char ids[64 * 16];
    size_t length = 0;
    uint32_t task = job->tasks_count - 1;
    if (job->mode == JOB_CHECKED) {
        graph_begin(job_graph(job), task);
        for (size_t i = 0; i < count; i++)
            graph_add(job->graph, needed[i]);
        return;
    }
    for (size_t i = 0; i < count; i++)
        length += (size_t)sprintf(ids + length, "t%u", needed[i]) + 1;
    window_need(job->window, tasks[task], (struct window_needs){needed, ids, count});
}

#define NEED(...)                                                                                  \
    need((const uint32_t[]){__VA_ARGS__}, sizeof(uint32_t[]){__VA_ARGS__} / sizeof(uint32_t))

/* Ends the reading. */
static void all_read(void)
{
    struct task_list list;
    job_seal(job);
    if (job->mode == JOB_STREAMED)
        return;
    task_list_init(&list);
    cr_assert(job_take_tasks(job, TASKS_MOST, &list));
}

static bool enter(uint32_t number)
{
    task_move(tasks[number], TASK_WAITING);
    return job_enter_waiting(tasks[number]);
}

/* Ends a task in any state; returns how many that releases, the first of them in released. */
static size_t end(uint32_t number, enum task_state state)
{
    task_list_init(&released);
    tasks[number]->state = (uint8_t)state;
    job_release_dependents(tasks[number], &released);
    return released.count;
}

static const enum job_mode modes[] = {JOB_CHECKED, JOB_STREAMED};

#define FOR_BOTH(name)                                                                             \
    static void name(void);                                                                        \
    Test(needs, checked_##name)                                                                    \
    {                                                                                              \
        job_begin(modes[0]);                                                                       \
        name();                                                                                    \
        job_end();                                                                                 \
    }                                                                                              \
    Test(needs, streamed_##name)                                                                   \
    {                                                                                              \
        job_begin(modes[1]);                                                                       \
        name();                                                                                    \
        job_end();                                                                                 \
    }                                                                                              \
    static void name(void)

/* 0 and 1, 2 needs both, 3 needs 2. */
static void make_four(void)
{
    add_task();
    add_task();
    add_task();
    NEED(0, 1);
    add_task();
    NEED(2);
    all_read();
    cr_assert_not(job_waits(tasks[0]));
    cr_assert(job_waits(tasks[2]));
}

FOR_BOTH(a_task_is_released_by_the_last_that_it_needs)
{
    make_four();
    cr_assert_not(enter(2));
    cr_assert_not(enter(3));
    cr_assert_eq(end(1, TASK_SUCCEEDED), 0);
    cr_assert_eq(end(0, TASK_SUCCEEDED), 1);
    cr_assert_eq(released.head, tasks[2]);
    cr_assert_null(job_needed(tasks[2]).id);
    cr_assert_eq(end(2, TASK_SUCCEEDED), 1);
    cr_assert_eq(released.head, tasks[3]);
    cr_assert_eq(end(3, TASK_SUCCEEDED), 0);
}

FOR_BOTH(a_task_that_enters_last_is_released_by_its_entry)
{
    make_four();
    cr_assert_eq(end(0, TASK_SUCCEEDED), 0);
    cr_assert_eq(end(1, TASK_SUCCEEDED), 0);
    cr_assert(enter(2));
    cr_assert_not(enter(3));
    cr_assert_eq(end(2, TASK_SUCCEEDED), 1);
}

FOR_BOTH(the_first_in_the_file_that_did_not_succeed_is_named)
{
    make_four();
    cr_assert_not(enter(2));
    cr_assert_eq(end(1, TASK_SKIPPED), 0);
    cr_assert_eq(end(0, TASK_TIMED_OUT), 1);
    struct needed needed = job_needed(tasks[2]);
    cr_assert(needed.some_failed);
    cr_assert(needed.some_missed);
    cr_assert_str_eq(needed.id, "t0");
    cr_assert_eq(needed.state, TASK_TIMED_OUT);
    cr_assert_not(enter(3));
    cr_assert_eq(end(2, TASK_SKIPPED), 1);
    needed = job_needed(tasks[3]);
    cr_assert_not(needed.some_failed);
    cr_assert(needed.some_missed);
    cr_assert_str_eq(needed.id, "t2");
    cr_assert_eq(needed.state, TASK_SKIPPED);
}

FOR_BOTH(a_later_one_does_not_take_the_place_of_the_first)
{
    make_four();
    cr_assert_eq(end(0, TASK_CRASHED), 0);
    cr_assert_eq(end(1, TASK_FAILED), 0);
    cr_assert(enter(2));
    cr_assert_str_eq(job_needed(tasks[2]).id, "t0");
}

/* As the intake does when the host stops: then nobody may release it any more. */
FOR_BOTH(a_task_that_ended_without_entering_is_not_released)
{
    make_four();
    cr_assert_not(enter(3));
    cr_assert_eq(end(0, TASK_SUCCEEDED), 0);
    cr_assert_eq(end(2, TASK_CANCELLED), 1);
    cr_assert_eq(released.head, tasks[3]);
    cr_assert_str_eq(job_needed(tasks[3]).id, "t2");
    cr_assert_eq(end(1, TASK_SUCCEEDED), 0);
}

FOR_BOTH(all_dependents_of_one_are_released_together_in_order)
{
    add_task();
    for (uint32_t i = 1; i < TASKS_MOST; i++) {
        add_task();
        NEED(0);
    }
    all_read();
    for (uint32_t i = 1; i < TASKS_MOST; i++)
        cr_assert_not(enter(i));
    cr_assert_eq(end(0, TASK_SUCCEEDED), TASKS_MOST - 1);
    for (uint32_t i = 1; i < TASKS_MOST; i++)
        cr_assert_eq(task_list_pop(&released)->number, i);
}

Test(needs, a_task_that_was_taken_is_released_by_nobody)
{
    job_begin(JOB_CHECKED);
    make_four();
    cr_assert_not(job_take_waiting(tasks[2]), "it is not in the host yet");
    cr_assert_not(enter(2));
    cr_assert_not(enter(3));
    cr_assert(job_take_waiting(tasks[2]));
    cr_assert_not(job_take_waiting(tasks[2]));
    cr_assert_eq(end(2, TASK_CANCELLED), 1);
    cr_assert_eq(released.head, tasks[3]);
    cr_assert_not(job_take_waiting(tasks[3]), "it was released");
    cr_assert_eq(end(0, TASK_SUCCEEDED), 0);
    cr_assert_eq(end(1, TASK_SUCCEEDED), 0);
    job_end();
}

Test(needs, all_tasks_of_a_job_that_wait_can_be_taken)
{
    struct task_list taken;
    task_list_init(&taken);
    job_begin(JOB_CHECKED);
    make_four();
    job_take_all_waiting(job, &taken);
    cr_assert_eq(taken.count, 0);
    cr_assert_not(enter(2));
    cr_assert_not(enter(3));
    job_take_all_waiting(job, &taken);
    cr_assert_eq(taken.count, 2);
    cr_assert_eq(taken.head, tasks[2]);
    job_end();
}

struct ender {
    struct thread thread;
    uint32_t from, to;
    _Atomic uint32_t *released_count;
};

static void end_some(void *argument)
{
    struct ender *ender = argument;
    for (uint32_t i = ender->from; i < ender->to; i++) {
        struct task_list list;
        task_list_init(&list);
        tasks[i]->state = i % 2 ? TASK_FAILED : TASK_SUCCEEDED;
        job_release_dependents(tasks[i], &list);
        *ender->released_count += (uint32_t)list.count;
    }
}

enum { PAIRS = 1000 };

/* Task 2 * PAIRS + i needs the tasks i and PAIRS + i. */
static void add_pairs(void)
{
    for (uint32_t i = 0; i < 2 * PAIRS; i++)
        add_task();
    for (uint32_t i = 0; i < PAIRS; i++) {
        add_task();
        NEED(i, PAIRS + i);
    }
    all_read();
}

/* Pairs of threads end what each dependent needs; the reader enters them meanwhile. */
FOR_BOTH(each_is_released_once_whatever_threads_end_what_it_needs)
{
    static struct ender enders[2];
    _Atomic uint32_t count = 0;
    add_pairs();
    for (uint32_t i = 0; i < 2; i++) {
        enders[i] =
            (struct ender){.from = i * PAIRS, .to = (i + 1) * PAIRS, .released_count = &count};
        cr_assert(thread_start(&enders[i].thread, "ender", end_some, &enders[i], NULL));
    }
    for (uint32_t i = 2 * PAIRS; i < 3 * PAIRS; i++)
        count += enter(i);
    for (uint32_t i = 0; i < 2; i++)
        thread_join(&enders[i].thread);
    cr_assert_eq(count, PAIRS);
    for (uint32_t i = 0; i < PAIRS; i++)
        cr_assert_eq(job_needed(tasks[2 * PAIRS + i]).some_failed, i % 2 == 1);
}

static void take_some(void *argument)
{
    struct ender *ender = argument;
    for (uint32_t i = ender->from; i < ender->to; i++)
        *ender->released_count += job_take_waiting(tasks[i]);
}

/* As above, and a third thread takes what waits. */
Test(needs, each_is_released_or_taken_once)
{
    static struct ender enders[3];
    _Atomic uint32_t count = 0;
    job_begin(JOB_CHECKED);
    add_pairs();
    for (uint32_t i = 0; i < 3; i++) {
        enders[i] =
            (struct ender){.from = i * PAIRS, .to = (i + 1) * PAIRS, .released_count = &count};
        cr_assert(thread_start(&enders[i].thread, "ender", i < 2 ? end_some : take_some, &enders[i],
                               NULL));
    }
    for (uint32_t i = 2 * PAIRS; i < 3 * PAIRS; i++)
        count += enter(i);
    for (uint32_t i = 0; i < 3; i++)
        thread_join(&enders[i].thread);
    cr_assert_eq(count, PAIRS);
    job_end();
}

Test(needs, a_streamed_task_hears_of_those_that_ended_before_it_was_read)
{
    job_begin(JOB_STREAMED);
    add_task();
    add_task();
    end(0, TASK_FAILED);
    end(1, TASK_SUCCEEDED);
    add_task();
    NEED(0, 1);
    cr_assert(enter(2));
    cr_assert_str_eq(job_needed(tasks[2]).id, "t0");
    cr_assert_eq(job_needed(tasks[2]).state, TASK_FAILED);
    end(2, TASK_SKIPPED);
    job_end();
}

/* Bare numbers: the window never looks at a task but to release it. */
Test(needs, a_task_that_left_the_window_unfinished_still_releases_its_dependents)
{
    struct window *window = window_create();
    struct task first = {.id = "first"}, second = {.id = "second", .number = 1};
    struct task_list list;
    const uint32_t zero = 0;
    task_list_init(&list);
    window_add(window, 0);
    window_add(window, 1);
    window_need(window, &second, (struct window_needs){&zero, "first", 1});
    cr_assert_not(window_enter(window, 1));
    for (uint32_t number = 2; number < 5 * JOB_STREAM_WINDOW; number++) {
        struct task other = {.id = "other", .number = number, .state = TASK_SUCCEEDED};
        window_add(window, number);
        window_end(window, &other, &list);
    }
    cr_assert_eq(list.count, 0);
    first.state = TASK_SUCCEEDED;
    window_end(window, &first, &list);
    cr_assert_eq(list.count, 1);
    cr_assert_eq(list.head, &second);
    window_destroy(&window);
    window_destroy(&window);
}
