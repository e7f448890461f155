#include "accept/intake.h"

#include <stdlib.h>

#include "support/clock.h"
#include "support/log.h"

enum { STORE_BATCH = 256 };

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
        if (task->due_ns != 0 && intake->delay(intake->context, task, task_due_ns(task, now_ns)))
            continue;
        task->due_ns = now_ns;
        task_move(task, TASK_READY);
        task_list_push(entered, task);
    }
}

static void must(bool stored, const struct error *error)
{
    if (stored)
        return;
    log_error("the store failed", LOG_TEXT("reason", error->message));
    abort(); /* the memory store, the only one so far, fails when memory is out */
}

static void store_job(const struct intake *intake, struct job *job)
{
    struct error error;
    struct store_job_given given = {.id = job->id,
                                    .name = job->name,
                                    .file = job->file,
                                    .submitted_wall_ns = clock_wall_ns(),
                                    .max_weight = job->max_weight,
                                    .fail_fast = job->fail_fast};
    if (job->store_key == 0)
        must(store_add_job(intake->store, &given, &job->store_key, &error), &error);
}

static int64_t due_wall_ns(const struct task *task, int64_t wall_ns)
{
    if (task->due_ns <= 0)
        return -task->due_ns;
    return clock_add_ns(wall_ns, task->due_ns);
}

/* Puts tasks of one job into the store, before anything can happen to them. */
static void store_tasks(const struct intake *intake, const struct task_list *tasks)
{
    struct store_new_task added[STORE_BATCH];
    struct error error;
    int64_t wall_ns = clock_wall_ns();
    size_t count = 0;
    for (const struct task *task = tasks->head; task != NULL; task = task->next) {
        added[count++] =
            (struct store_new_task){.handle = task, .due_wall_ns = due_wall_ns(task, wall_ns)};
        if (count < STORE_BATCH && task->next != NULL)
            continue;
        must(store_add_tasks(intake->store, task->job->store_key, added, count, &error), &error);
        count = 0;
    }
}

/* Counts in what is only to be ended; also as room taken, since ending it gives room back. */
static void enter_to_end(const struct intake *intake, struct task_list *tasks, size_t has_room)
{
    room_force(intake->pending, tasks->count - has_room);
    job_count_submitted(tasks->head->job, (uint32_t)tasks->count);
    intake->drop(intake->context, tasks);
}

bool intake_submit(const struct intake *intake, struct task_list *tasks)
{
    struct task_list entered;
    task_list_init(&entered);
    if (tasks->count > 0)
        store_job(intake, tasks->head->job);
    store_tasks(intake, tasks);
    while (tasks->count > 0) {
        struct job *job = tasks->head->job;
        size_t got = room_take(intake->pending, tasks->count);
        if (got == 0 || job_stops(job)) {
            enter_to_end(intake, tasks, got);
            return false;
        }
        job_count_submitted(job, (uint32_t)got);
        enter(intake, tasks, got, &entered);
        inbound_push(intake->inbound, &entered);
        if (entered.count > 0) /* inbound is closed */
            intake->drop(intake->context, &entered);
    }
    return true;
}

void intake_seal(const struct intake *intake, struct job *job)
{
    struct error error;
    if (job->store_key != 0)
        must(store_seal_job(intake->store, job->store_key, &error), &error);
}
