#include "fake_job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "accept/submission.h"
#include "support/cleanup.h"
#include "support/clock.h"

enum { QUEUED_COUNT = 10 };

static const int64_t then_ns = INT64_C(1764547200) * NS_PER_S; /* 2025-12-01 */

/* What a task of the state is in the job file beyond its id. */
static const char *rest_of(enum task_state state)
{
    if (state == TASK_WAITING)
        return ", needs: [running, queued, succeeded]";
    return state == TASK_FAILED ? ", labels: {disk: ssd, region: sh}" : "";
}

static void write_job(struct buffer *text)
{
    buffer_puts(text, "version: 1\nname: fuzzed\ntasks:\n");
    for (enum task_state state = TASK_ACCEPTED; state < TASK_STATE_COUNT; state++)
        buffer_printf(text, "- {id: %s, type: noop, params: {n: 5}%s}\n", task_state_word(state),
                      rest_of(state));
    for (int i = 0; i < QUEUED_COUNT; i++)
        buffer_printf(text, "- {id: queued%d, type: full}\n", i);
}

static struct job *read_job(struct chunk_pool *pool)
{
    const struct job_file_options options = {
        .weight_capacity = 100, .default_timeout_ns = 3600 * NS_PER_S, .stop_fd = -1};
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    struct submission submission;
    write_job(&text);
    submission_init(&submission, JOB_FILE_JOBS, text.bytes, text.length);
    submission.file = "fuzzed.yaml";
    bool right = submission_read(&submission, &options, pool);
    assert(right && submission.jobs_count == 1);
    struct job *job = submission.jobs[0];
    free(submission.jobs);
    submission_fini(&submission);
    memcpy(job->id, FAKE_JOB, sizeof job->id);
    return job;
}

/* Returns the state that an id begins with. */
static enum task_state state_of(const struct task *task)
{
    enum task_state state = TASK_ACCEPTED;
    while (strncmp(task->id, task_state_word(state), strlen(task_state_word(state))) != 0)
        state++;
    return state;
}

static void end_in_store(struct store *store, const struct store_name *name, enum task_state state)
{
    static const char outputs[] = "stdout\0a line\0exit_code\0003";
    const struct store_attempt how = {.started_wall_ns = then_ns,
                                      .ended_wall_ns = then_ns + NS_PER_S,
                                      .charged = true,
                                      .reason = "exit_nonzero",
                                      .message = "exited with 3"};
    struct store_retry retry = {.name = *name, .how = how};
    struct error error;
    bool stored = store_retry(store, &retry, 1, &error);
    struct store_end end = {.name = *name,
                            .how = how,
                            .outputs = outputs,
                            .outputs_bytes = sizeof outputs,
                            .state = (enum store_state)store_state_find(task_state_word(state))};
    end.name.attempt = retry.next_attempt;
    stored = stored && store_end(store, &end, 1, &error);
    assert(stored && end.answer == STORE_DONE);
}

static void tell_store(struct store *store, const struct task *task)
{
    const struct store_name name = {.job = task->job->store_key,
                                    .epoch = store_epoch(store),
                                    .number = job_place(task),
                                    .attempt = 1};
    struct store_written written = {.name = name, .text = "one\ntwo\n", .length = 8};
    struct error error;
    bool stored = store_write_log(store, &written, 1, &error);
    assert(stored && written.answer == STORE_DONE);
    if (task_state(task) >= TASK_SUCCEEDED)
        end_in_store(store, &name, task_state(task));
}

static void add_task(struct store *store, struct task *task)
{
    struct error error;
    const struct store_new_task added = {
        .handle = task, .due_wall_ns = state_of(task) == TASK_DELAYED ? then_ns : 0};
    bool stored = store_add_tasks(store, task->job->store_key, &added, 1, &error);
    assert(stored);
    atomic_store(&task->state, (uint8_t)state_of(task));
}

struct job *fake_job_create(struct chunk_pool *pool, struct store *store)
{
    struct job *job = read_job(pool);
    const struct store_job_given given = {
        .id = job->id, .name = job->name, .file = job->file, .submitted_wall_ns = then_ns};
    struct error error;
    struct task_list tasks;
    bool stored = store_add_job(store, &given, &job->store_key, &error);
    assert(stored);
    task_list_init(&tasks);
    job_take_tasks(job, JOB_TASKS_MOST, &tasks);
    for (struct task *task = tasks.head; task != NULL; task = task->next)
        add_task(store, task);
    stored = store_seal_job(store, job->store_key, &error);
    assert(stored);
    for (struct task *task = tasks.head; task != NULL; task = task->next)
        tell_store(store, task);
    return job;
}
