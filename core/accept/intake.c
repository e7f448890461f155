#include "accept/intake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "accept/task_extra.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/log.h"

enum { STORE_BATCH = 256, WHOLES_BATCH = 32 };

static_assert((int)JOB_TASKS_MOST <= (int)STORE_TASKS_MOST, "what is read can be stored");

/* What the first tasks of a list become when they enter. */
struct entry {
    struct task_list ready, waiting, released, stopped, recalled;
};

static void entry_init(struct entry *entry)
{
    task_list_init(&entry->ready);
    task_list_init(&entry->waiting);
    task_list_init(&entry->released);
    task_list_init(&entry->stopped);
    task_list_init(&entry->recalled);
}

/* A task that needs others hears of its job's stop when it is released: then it can be said which
 * of them has failed. */
static void sort_task(const struct intake *intake, struct task *task, int64_t now_ns,
                      struct entry *entry)
{
    if (task->submitted_ns == 0) /* else it has waited for room */
        task->submitted_ns = now_ns;
    if (job_waits(task)) {
        task_list_push(&entry->waiting, task);
    } else if (job_has_ended_before(task)) {
        task_list_push(&entry->recalled, task);
    } else if (job_stops(task)) {
        task_list_push(&entry->stopped, task);
    } else if (task->unique != NULL) {
        task_list_push(&entry->released, task);
    } else if (task->due_ns == 0 ||
               !intake->delay(intake->context, task, task_due_ns(task, now_ns))) {
        task->due_ns = now_ns;
        task_move(task, TASK_READY);
        task_list_push(&entry->ready, task);
    }
}

/* Room is told first: once it has entered, a task may be released at any moment. What is unique and
 * needs nothing is released as if all that it needs had ended: there its key is claimed. */
static void enter_waiting(const struct intake *intake, struct entry *entry)
{
    size_t aside = entry->waiting.count + entry->released.count;
    if (aside == 0)
        return;
    if (room_put_aside(intake->pending, aside))
        intake->room_reached(intake->context);
    for (struct task *task; (task = task_list_pop(&entry->waiting)) != NULL;) {
        task_move(task, TASK_WAITING);
        if (job_enter_waiting(task))
            task_list_push(&entry->released, task);
    }
}

/* Takes count tasks, which have room, off the list and into the host. */
static void enter(const struct intake *intake, struct task_list *tasks, size_t count)
{
    struct entry entry;
    int64_t now_ns = clock_now_ns();
    entry_init(&entry);
    for (size_t i = 0; i < count; i++)
        sort_task(intake, task_list_pop(tasks), now_ns, &entry);
    enter_waiting(intake, &entry);
    inbound_push(intake->inbound, &entry.ready);
    task_list_append(&entry.stopped, &entry.ready); /* inbound is closed */
    if (entry.released.count > 0)
        intake->release(intake->context, &entry.released);
    if (entry.stopped.count > 0)
        intake->drop(intake->context, &entry.stopped);
    if (entry.recalled.count > 0)
        intake->recall(intake->context, &entry.recalled);
}

/* A store takes note in memory; what becomes of that on the disk, who waits for it hears: also that
 * the job was given up before all of it was said. */
static void must(bool noted, const struct error *error)
{
    if (noted || strcmp(error->code, "given_up") == 0)
        return;
    log_error("the store failed", LOG_TEXT("reason", error->message));
    abort();
}

static struct store_job_given given_of(const struct job *job, int64_t wall_ns)
{
    return (struct store_job_given){.id = job->id,
                                    .name = job->name,
                                    .file = job->file,
                                    .document = job->document,
                                    .submitted_wall_ns = wall_ns,
                                    .max_weight = job->max_weight,
                                    .fail_fast = job->fail_fast,
                                    .origin = job->origin};
}

static void store_job(const struct intake *intake, struct job *job)
{
    struct error error;
    struct store_job_given given = given_of(job, clock_wall_ns());
    must(store_add_job(intake->store, &given, &job->store_key, &error), &error);
}

/* The delay of a task that needs others begins when these have ended. */
static int64_t due_wall_ns(const struct task *task, int64_t wall_ns)
{
    if (task->due_ns <= 0)
        return -task->due_ns;
    return job_waits(task) ? 0 : clock_add_ns(wall_ns, task->due_ns);
}

/* Tasks on their way into the store. */
struct batch {
    struct store_new_task added[STORE_BATCH];
    size_t count;
    struct buffer extras; /* of those that are not bare handles, one behind the other */
};

/* extras: where what the store does not borrow goes to; NULL: it borrows. */
static struct store_new_task new_task(const struct task *task, int64_t wall_ns,
                                      struct buffer *extras)
{
    size_t before = extras != NULL ? extras->length : 0;
    if (extras != NULL)
        task_extra_pack(task, extras);
    return (struct store_new_task){.handle = task,
                                   .due_wall_ns = due_wall_ns(task, wall_ns),
                                   .extra_bytes =
                                       extras != NULL ? (uint32_t)(extras->length - before) : 0};
}

/* Says where each one's is, now that the buffer does not move any more. */
static void extras_place(struct store_new_task *tasks, size_t count, const struct buffer *extras)
{
    const char *extra = extras->bytes;
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].extra_bytes == 0)
            continue;
        tasks[i].extra = extra;
        extra += tasks[i].extra_bytes;
    }
}

static void batch_store(const struct intake *intake, uint64_t job, struct batch *batch)
{
    struct error error;
    extras_place(batch->added, batch->count, &batch->extras);
    must(store_add_tasks(intake->store, job, batch->added, batch->count, &error), &error);
    batch->count = 0;
    batch->extras.length = 0;
}

/* Puts tasks of one job into the store, before anything can happen to them. */
static void store_tasks(const struct intake *intake, const struct task_list *tasks)
{
    struct batch batch;
    batch.count = 0;
    batch.extras = BUFFER_EMPTY;
    bool borrows = store_borrows(intake->store);
    int64_t wall_ns = clock_wall_ns();
    for (const struct task *task = tasks->head; task != NULL; task = task->next) {
        batch.added[batch.count++] = new_task(task, wall_ns, borrows ? NULL : &batch.extras);
        if (batch.count == STORE_BATCH || task->next == NULL)
            batch_store(intake, task->job->store_key, &batch);
    }
    buffer_fini(&batch.extras);
}

/* Jobs of one task on their way into the store. */
struct wholes {
    struct store_whole added[WHOLES_BATCH];
    struct store_new_task tasks[WHOLES_BATCH];
    struct job *jobs[WHOLES_BATCH];
    size_t count;
    struct buffer extras; /* as in a batch */
};

static void wholes_add(const struct intake *intake, struct wholes *wholes, const struct task *task,
                       int64_t wall_ns)
{
    size_t at = wholes->count++;
    wholes->jobs[at] = task->job;
    wholes->tasks[at] =
        new_task(task, wall_ns, store_borrows(intake->store) ? NULL : &wholes->extras);
    wholes->added[at] = (struct store_whole){
        .given = given_of(task->job, wall_ns), .tasks = &wholes->tasks[at], .count = 1};
}

static void wholes_store(const struct intake *intake, struct wholes *wholes)
{
    struct error error;
    extras_place(wholes->tasks, wholes->count, &wholes->extras);
    must(store_add_wholes(intake->store, wholes->added, wholes->count, &error), &error);
    for (size_t i = 0; i < wholes->count; i++) {
        assert(wholes->added[i].key != 0 || wholes->count == 1); /* that one was given up */
        wholes->jobs[i]->store_key = wholes->added[i].key;
    }
    wholes->count = 0;
    wholes->extras.length = 0;
}

/* Each is the only task that its job has: both at once. */
static void store_wholes(const struct intake *intake, const struct task_list *tasks)
{
    struct wholes wholes;
    wholes.count = 0;
    wholes.extras = BUFFER_EMPTY;
    int64_t wall_ns = clock_wall_ns();
    for (const struct task *task = tasks->head; task != NULL; task = task->next) {
        wholes_add(intake, &wholes, task, wall_ns);
        if (wholes.count == WHOLES_BATCH || task->next == NULL)
            wholes_store(intake, &wholes);
    }
    buffer_fini(&wholes.extras);
}

static bool is_whole(const struct job *job)
{
    return job->keep == JOB_KEEPS_ONE;
}

void intake_store(const struct intake *intake, const struct task_list *tasks)
{
    if (tasks->count == 0)
        return;
    struct job *job = tasks->head->job;
    if (is_whole(job) && job->store_key == 0) {
        store_wholes(intake, tasks);
        return;
    }
    if (job->store_key == 0)
        store_job(intake, job);
    store_tasks(intake, tasks);
}

void intake_count(const struct intake *intake, const struct task_list *tasks)
{
    if (tasks->count == 0)
        return;
    figures_submit(intake->figures, tasks);
    if (!is_whole(tasks->head->job)) {
        job_count_submitted(tasks->head->job, (uint32_t)tasks->count);
        return;
    }
    for (const struct task *task = tasks->head; task != NULL; task = task->next)
        job_count_submitted(task->job, 1);
}

/* Counts in what is only to be ended; also as room taken, since ending it gives room back. */
static void enter_to_end(const struct intake *intake, struct task_list *tasks)
{
    if (tasks->count == 0)
        return;
    int64_t now_ns = clock_now_ns();
    for (struct task *task = tasks->head; task != NULL; task = task->next)
        task->submitted_ns = now_ns;
    room_force(intake->pending, tasks->count);
    job_count_submitted(tasks->head->job, (uint32_t)tasks->count);
    intake->drop(intake->context, tasks);
}

static bool goes_on(const struct job *job)
{
    return atomic_load_explicit(&job->stop, memory_order_relaxed) == JOB_GOES_ON;
}

/* What its job's stop ends at once need not wait for room. False if nothing is left. */
static bool drop_stopped(const struct intake *intake, const struct job *job,
                         struct task_list *tasks)
{
    struct task_list kept, stopped;
    if (goes_on(job))
        return tasks->count > 0;
    task_list_init(&kept);
    task_list_init(&stopped);
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;)
        task_list_push(job_stops(task) && !job_waits(task) ? &stopped : &kept, task);
    task_list_append(tasks, &kept);
    enter_to_end(intake, &stopped);
    return tasks->count > 0;
}

static void count_past(struct job *job, const struct task_list *tasks)
{
    for (const struct task *task = tasks->head; task != NULL && job->past != NULL;
         task = task->next)
        job->past_count += job_has_ended_before(task);
}

bool intake_submit(const struct intake *intake, struct task_list *tasks)
{
    struct job *job = tasks->count > 0 ? tasks->head->job : NULL;
    if (job == NULL)
        return true;
    count_past(job, tasks);
    intake_store(intake, tasks);
    figures_submit(intake->figures, tasks);
    while (drop_stopped(intake, job, tasks)) {
        size_t got = room_take(intake->pending, tasks->count);
        if (got == 0) {
            enter_to_end(intake, tasks);
            return false;
        }
        job_count_submitted(job, (uint32_t)got);
        enter(intake, tasks, got);
    }
    return goes_on(job);
}

void intake_note(const struct intake *intake, const struct task_list *tasks)
{
    intake_store(intake, tasks);
    intake_count(intake, tasks);
}

void intake_enter(const struct intake *intake, struct task_list *tasks)
{
    if (tasks->count > 0)
        enter(intake, tasks, tasks->count);
}

void intake_store_empty(const struct intake *intake, struct job *job)
{
    if (job->tasks_count == 0 && job->store_key == 0)
        store_job(intake, job);
}

void intake_seal(const struct intake *intake, struct job *job)
{
    struct error error;
    if (job->store_key != 0 && !is_whole(job))
        must(store_seal_job(intake->store, job->store_key, &error), &error);
}
