#include "accept/intake.h"

#include "support/clock.h"

static bool job_stops(const struct job *job)
{
    return atomic_load_explicit(&job->stop, memory_order_relaxed) != JOB_GOES_ON;
}

/* Moves the first count tasks to entered, stamped, but for those that wait for their time. */
static void enter(const struct intake *intake, struct task_list *tasks, size_t count,
                  struct task_list *entered)
{
    int64_t now_ns = clock_now_ns();
    for (size_t i = 0; i < count; i++) {
        struct task *task = task_list_pop(tasks);
        task->submitted_ns = now_ns;
        if (task->due_ns > 0 &&
            intake->delay(intake->context, task, clock_add_ns(now_ns, task->due_ns)))
            continue;
        task->due_ns = now_ns;
        task_move(task, TASK_READY);
        task_list_push(entered, task);
    }
}

/* Without room (the host stops) tasks are dropped; room is counted for them all the same, since
 * ending them gives it back. */
static void drop(const struct intake *intake, struct task_list *tasks)
{
    if (tasks->count > 0)
        intake->drop(intake->context, tasks);
}

bool intake_submit(const struct intake *intake, struct task_list *tasks)
{
    struct task_list entered;
    task_list_init(&entered);
    while (tasks->count > 0) {
        struct job *job = tasks->head->job;
        size_t got = room_take(intake->pending, tasks->count);
        if (got == 0 || job_stops(job)) {
            room_force(intake->pending, tasks->count - got);
            job_count_submitted(job, (uint32_t)tasks->count);
            drop(intake, tasks);
            return false;
        }
        job_count_submitted(job, (uint32_t)got);
        enter(intake, tasks, got, &entered);
        inbound_push(intake->inbound, &entered);
        drop(intake, &entered);
    }
    return true;
}
