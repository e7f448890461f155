#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accept/window.h"
#include "support/clock.h"

struct desk desk;

static int index_of(const struct job *job)
{
    return job == desk.jobs[0] ? 0 : 1;
}

static void on_ended(void *context, const struct outcome_record *record)
{
    (void)context;
    desk.ended[record->state]++;
    cr_assert_eq(record->task->state, record->state == TASK_DELAYED ? TASK_RUNNING : record->state);
    snprintf(desk.reason, sizeof desk.reason, "%s", record->attempt->reason);
    snprintf(desk.message, sizeof desk.message, "%s", record->attempt->message);
}

static void on_job_over(void *context, struct job *job)
{
    (void)context;
    desk.overs[index_of(job)]++;
}

static void on_job_stops(void *context, struct job *job)
{
    (void)context;
    desk.stops[index_of(job)]++;
}

static bool on_delay(void *context, struct task *task, int64_t due_ns)
{
    (void)context;
    if (desk.stops_when_asked)
        atomic_store(&task->job->stop, JOB_STOPPED);
    if (!desk.delays)
        return false;
    task_move(task, TASK_DELAYED);
    desk.delayed = task;
    desk.delayed_until_ns = due_ns;
    return true;
}

static void on_release(void *context, struct task_list *tasks)
{
    (void)context;
    task_list_append(&desk.released, tasks);
}

void desk_use_hooks(void)
{
    outcome_destroy(&desk.outcome);
    desk.outcome = outcome_create(&desk.hooks, desk.store, &desk.pending, desk.figures);
}

static void begin(const char *backend, const char *place)
{
    struct error error;
    struct store_options options = {.describe = task_describe, .place = place};
    desk.hooks = (struct outcome_hooks){.ended = on_ended,
                                        .wants_all = true,
                                        .job_over = on_job_over,
                                        .job_stops = on_job_stops,
                                        .delay = on_delay,
                                        .release = on_release};
    task_list_init(&desk.released);
    desk.store = store_open(backend, &options, &error);
    cr_assert_not_null(desk.store);
    desk.figures = figures_create();
    chunk_pool_init(&desk.chunks);
    room_init(&desk.pending, 1000 * 1000);
    desk.inbound = inbound_create(1000 * 1000);
    for (int i = 0; i < DESK_JOBS; i++)
        desk.jobs[i] = job_create(&desk.chunks, "desk", "desk.yaml", JOB_STREAMED);
    outcome_tally_init(&desk.tally);
    desk_use_hooks();
}

void desk_begin(void)
{
    begin("memory", NULL);
}

void desk_begin_durable(void)
{
    char place[96];
    strcpy(desk.folder, "/tmp/sluice-desk-XXXXXX");
    cr_assert_not_null(mkdtemp(desk.folder));
    snprintf(place, sizeof place, "%s/store.db", desk.folder);
    begin("sqlite", place);
}

static void remove_store(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char path[128];
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/store.db%s", desk.folder, ends[i]);
        unlink(path);
    }
    cr_assert_eq(rmdir(desk.folder), 0);
}

void desk_end(void)
{
    cr_assert_eq(room_taken(&desk.pending), 0);
    for (int i = 0; i < DESK_JOBS; i++) {
        cr_assert_leq(desk.jobs[i]->unfinished, 1);
        job_destroy(&desk.jobs[i]);
    }
    outcome_destroy(&desk.outcome);
    cr_assert_null(desk.outcome);
    inbound_destroy(&desk.inbound);
    store_close(&desk.store);
    figures_destroy(&desk.figures);
    room_fini(&desk.pending);
    chunk_pool_fini(&desk.chunks);
    if (desk.folder[0] != '\0')
        remove_store();
}

static struct task *add_task(int job)
{
    static const struct type type = {"any", 0};
    char id[32];
    uint32_t first_line;
    int length = snprintf(id, sizeof id, "t-%u", desk.jobs[job]->tasks_count);
    struct task *task = job_add_task(desk.jobs[job], id, (size_t)length, &first_line);
    task->type = &type;
    return task;
}

static void submit(struct task *task)
{
    struct intake intake = {.store = desk.store,
                            .inbound = desk.inbound,
                            .pending = &desk.pending,
                            .figures = desk.figures,
                            .delay = on_delay};
    struct task_list list;
    task_list_init(&list);
    task_list_push(&list, task);
    cr_assert(intake_submit(&intake, &list));
}

struct task *desk_task(int job)
{
    struct task_list list;
    struct task *task = add_task(job);
    submit(task);
    task_list_init(&list);
    inbound_take(desk.inbound, &list);
    return task;
}

struct task *desk_dependent(int job, const struct task *needed, enum task_when when)
{
    struct task *task = add_task(job);
    task->when = (uint8_t)when;
    window_need(task->job->window, task, (struct window_needs){&needed->number, needed->id, 1});
    submit(task);
    cr_assert_eq(task->state, TASK_WAITING);
    return task;
}

struct task *desk_running(int job)
{
    struct task *task = desk_task(job);
    task_move(task, TASK_QUEUED);
    task_move(task, TASK_RUNNING);
    return task;
}

void desk_finish(struct task *task, enum verdict verdict)
{
    int64_t now_ns = clock_now_ns();
    struct attempt attempt = {.verdict = verdict,
                              .started_ns = now_ns,
                              .ended_ns = now_ns,
                              .try_again_ns = 5,
                              .reason = verdict == VERDICT_OK ? "" : "because",
                              .message = ""};
    outcome_end(desk.outcome, task, &attempt, &desk.tally);
}
