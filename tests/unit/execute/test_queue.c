#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#include "execute/queue.h"
#include "support/clock.h"

#define HOUR_NS (3600 * NS_PER_S)

static struct queue queue;

static void queue_begin(void)
{
    queue_init(&queue, HOUR_NS);
}

TestSuite(queue, .init = queue_begin);

static struct task *push(struct task *task, int priority, uint32_t number)
{
    *task = (struct task){.priority = (int8_t)priority, .number = number, .due_ns = clock_now_ns()};
    queue_push(&queue, task);
    return task;
}

static struct task *take(void)
{
    struct task *head = queue_head(&queue);
    if (head != NULL)
        queue_pop(&queue, head);
    return head;
}

Test(queue, is_empty_at_first_and_again_when_all_is_taken)
{
    struct task task;
    cr_assert_null(queue_head(&queue));
    push(&task, 0, 0);
    cr_assert_eq(take(), &task);
    cr_assert_null(queue_head(&queue));
    cr_assert_eq(queue.count, 0);
}

Test(queue, gives_each_priority_of_the_range_its_place)
{
    struct task tasks[QUEUE_LEVELS];
    for (int i = 0; i < QUEUE_LEVELS; i++) {
        int priority = TASK_PRIORITY_MIN + i * 77 % QUEUE_LEVELS;
        push(&tasks[i], priority, 0);
    }
    for (int priority = TASK_PRIORITY_MAX; priority >= TASK_PRIORITY_MIN; priority--)
        cr_assert_eq(take()->priority, priority);
    cr_assert_null(take());
}

Test(queue, is_first_in_first_out_within_a_priority)
{
    struct task tasks[100];
    for (uint32_t i = 0; i < 100; i++)
        push(&tasks[i], i % 2 == 0 ? 5 : -5, i);
    for (uint32_t i = 0; i < 100; i += 2)
        cr_assert_eq(take()->number, i);
    for (uint32_t i = 1; i < 100; i += 2)
        cr_assert_eq(take()->number, i);
}

Test(queue, looking_at_the_head_takes_nothing)
{
    struct task tasks[2];
    push(&tasks[0], 0, 0);
    push(&tasks[1], 1, 1);
    cr_assert_eq(queue_head(&queue), &tasks[1]);
    cr_assert_eq(queue_head(&queue), &tasks[1]);
    cr_assert_eq(queue.count, 2);
}

Test(queue, only_a_head_can_be_taken, .signal = SIGABRT)
{
    struct task tasks[2];
    push(&tasks[0], 0, 0);
    push(&tasks[1], 0, 1);
    queue_pop(&queue, &tasks[1]);
}

Test(queue, what_is_put_back_goes_before_those_of_its_priority_in_its_order)
{
    struct task tasks[5];
    struct task_list back;
    for (uint32_t i = 0; i < 4; i++)
        push(&tasks[i], 0, i);
    task_list_init(&back);
    for (int i = 0; i < 3; i++)
        task_list_push(&back, take());
    push(&tasks[4], 0, 4);
    queue_put_back(&queue, &back);
    cr_assert_eq(back.count, 0);
    cr_assert_eq(queue.count, 5);
    for (uint32_t i = 0; i < 5; i++)
        cr_assert_eq(take()->number, i);
}

Test(queue, priorities_that_are_put_back_mixed_keep_their_order)
{
    struct task tasks[6];
    struct task_list back;
    for (uint32_t i = 0; i < 6; i++)
        push(&tasks[i], 0, i);
    task_list_init(&back);
    for (int i = 0; i < 4; i++)
        task_list_push(&back, take());
    tasks[1].priority = 9;
    queue_put_back(&queue, &back);
    cr_assert_eq(take()->number, 1);
    cr_assert_eq(take()->number, 0);
    for (uint32_t i = 2; i < 6; i++)
        cr_assert_eq(take()->number, i);
}

Test(queue, an_old_task_of_low_priority_passes_all_others)
{
    struct task old, young, urgent;
    push(&old, -100, 0);
    push(&young, -99, 1);
    push(&urgent, 100, 2);
    cr_assert_eq(queue_head(&queue), &urgent);
    old.due_ns -= HOUR_NS + 1;
    cr_assert_eq(take(), &old);
    cr_assert_eq(take(), &urgent);
    cr_assert_eq(take(), &young);
}

Test(queue, of_several_old_tasks_the_oldest_goes_first)
{
    struct task tasks[3];
    for (int i = 0; i < 3; i++) {
        push(&tasks[i], i * 10, (uint32_t)i);
        tasks[i].due_ns -= HOUR_NS * (3 - i);
    }
    tasks[2].due_ns = clock_now_ns();
    cr_assert_eq(take(), &tasks[0]);
    cr_assert_eq(take(), &tasks[1]);
    cr_assert_eq(take(), &tasks[2]);
}

Test(queue, purging_takes_the_tasks_of_one_job_and_leaves_the_order_of_the_others)
{
    struct job *jobs[2] = {(struct job *)0x10, (struct job *)0x20};
    struct task tasks[30];
    struct task_list purged;
    task_list_init(&purged);
    for (uint32_t i = 0; i < 30; i++)
        push(&tasks[i], (int)(i % 3) - 1, i)->job = jobs[i % 2];
    queue_purge(&queue, &(struct purge){.job = jobs[0]}, &purged);
    cr_assert_eq(purged.count, 15);
    cr_assert_eq(queue.count, 15);
    uint32_t last = 0;
    int priority = 1;
    for (struct task *task; (task = take()) != NULL; last = task->number) {
        cr_assert_eq(task->job, jobs[1]);
        cr_assert(task->priority < priority || task->number > last || last == 0);
        priority = task->priority;
    }
}

Test(queue, purging_without_a_job_takes_everything)
{
    struct task tasks[10];
    struct task_list purged;
    task_list_init(&purged);
    for (uint32_t i = 0; i < 10; i++)
        push(&tasks[i], (int)i, i)->job = (struct job *)(uintptr_t)(i + 1);
    queue_purge(&queue, &(struct purge){.job = NULL}, &purged);
    cr_assert_eq(purged.count, 10);
    cr_assert_null(queue_head(&queue));
    push(&tasks[0], 3, 0);
    cr_assert_eq(take(), &tasks[0]);
}

/* A queue that is slow and plainly right: the first task of the highest priority. */
static struct task *slow_head(struct task **all, size_t count)
{
    struct task *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (all[i] != NULL && (best == NULL || all[i]->priority > best->priority))
            best = all[i];
    return best;
}

Test(queue, does_the_same_as_a_slow_one_for_a_long_mixed_load)
{
    enum { COUNT = 2000 };
    static struct task tasks[COUNT];
    static struct task *all[COUNT];
    size_t pushed = 0;
    srand(7);
    while (pushed < COUNT || queue.count > 0) {
        if (pushed < COUNT && rand() % 5 < 3) {
            all[pushed] = push(&tasks[pushed], rand() % 201 - 100, (uint32_t)pushed);
            pushed++;
            continue;
        }
        struct task *wanted = slow_head(all, pushed);
        cr_assert_eq(queue_head(&queue), wanted);
        if (take() != NULL)
            all[wanted->number] = NULL;
    }
}

Test(queue, taking_the_head_tells_the_next_one)
{
    struct task tasks[6];
    push(&tasks[0], 1, 0);
    push(&tasks[1], 1, 1);
    push(&tasks[2], 7, 2);
    push(&tasks[3], 7, 3);
    push(&tasks[4], -3, 4);
    push(&tasks[5], -3, 5);
    tasks[5].due_ns = tasks[4].due_ns -= 2 * HOUR_NS;
    static const uint32_t order[] = {4, 5, 2, 3, 0, 1};
    struct task *head = queue_head(&queue);
    for (uint32_t i = 0; i < 6; i++) {
        cr_assert_eq(head->number, order[i]);
        cr_assert_eq(head, queue_head(&queue));
        cr_assert_eq(queue.count, 6 - i);
        head = queue_pop_next(&queue, head);
    }
    cr_assert_null(head);
    cr_assert_null(queue_head(&queue));
}
