/* The same things, made up at random, are said to the store in memory and to the one in a file,
 * which is closed and opened again now and then: both must show the same at any time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state_folder.h"
#include "store/store.h"
#include "store/store_check.h"
#include "support/buffer.h"

enum { STEPS = 6000, LOOK_EVERY = 40, JOBS_MOST = 400, FINISHED_MAX = 30, DEAD_MAX = 12 };

static struct store *twins[2]; /* in memory, in a file */
static unsigned random_state;
static uint32_t tasks_count[JOBS_MOST + 1]; /* by the job's key; */
static bool is_sealed[JOBS_MOST + 1], is_gone[JOBS_MOST + 1];
static uint64_t jobs_count;
static int64_t now = 10; /* goes on with each end */

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 8) % below;
}

/* Handles count from 2 on in steps of 2. */
static void describe(const void *handle, struct store_task_given *given)
{
    static const char *const ids[] = {"a", "b", "c", "d", "e"};
    static const char *const types[] = {"noop", "hash", "exec"};
    uintptr_t number = (uintptr_t)handle / 2;
    given->id = ids[number % 5];
    given->type = types[number % 3];
    given->params = given->id;
    given->params_bytes = 2;
    given->line = (uint32_t)number;
}

static struct store *open_one(const char *backend, uint64_t finished_max)
{
    struct error error;
    struct store_options options = {.place = state_place,
                                    .describe = describe,
                                    .finished_max = finished_max,
                                    .dead_max = DEAD_MAX,
                                    .log_max_bytes = 30};
    struct store *store = store_open(backend, &options, &error);
    cr_assert_not_null(store, "%s", error.message);
    return store;
}

static bool show_task(void *context, const struct store_task *task)
{
    struct buffer *seen = context;
    const struct store_attempt *last =
        task->attempts_count == 0 ? NULL : &task->attempts[task->attempts_count - 1];
    buffer_printf(
        seen, "%llu/%u %s %s line %u %s attempt %u of %zu charged %u due %lld %s log %.*s\n",
        (unsigned long long)task->job->key, task->number, task->given.id, task->given.type,
        task->given.line, store_state_word(task->state), task->attempt, task->attempts_count,
        task->charged, (long long)task->due_wall_ns, last == NULL ? "" : last->message,
        (int)task->log_bytes, task->log == NULL ? "" : task->log);
    return true;
}

static bool show_job(void *context, const struct store_job *job)
{
    struct buffer *seen = context;
    buffer_printf(seen, "job %llu %s tasks %u sealed %d stopped %d:", (unsigned long long)job->key,
                  job->given.id, job->tasks_count, job->sealed, job->stopped);
    for (int state = 0; state < STORE_STATE_COUNT; state++)
        buffer_printf(seen, " %u", job->by_state[state]);
    buffer_puts(seen, "\n");
    return true;
}

static void show_counts(struct buffer *seen, struct store *store)
{
    struct store_counts counts;
    cr_assert(store_count(store, &counts, NULL));
    buffer_printf(seen, "jobs %llu delayed %llu:", (unsigned long long)counts.jobs,
                  (unsigned long long)counts.delayed);
    for (int state = 0; state < STORE_STATE_COUNT; state++)
        buffer_printf(seen, " %llu", (unsigned long long)counts.by_state[state]);
}

static void show(struct buffer *seen, struct store *store)
{
    struct store_query all = {.job = 0}, dead = {.states = STORE_DEAD_SET, .type = "hash"};
    struct store_query unfinished = {.states = STORE_SET(STORE_UNFINISHED)};
    struct store_due due = {.until_wall_ns = 1000, .limit = 1000};
    seen->length = 0;
    cr_assert(store_visit(store, &all, show_task, seen, NULL));
    cr_assert(store_visit(store, &dead, show_task, seen, NULL));
    cr_assert(store_visit(store, &unfinished, show_task, seen, NULL));
    cr_assert(store_visit_due(store, &due, show_task, seen, NULL));
    cr_assert(store_visit_jobs(store, show_job, seen, NULL));
    show_counts(seen, store);
}

static void compare(unsigned step)
{
    struct buffer seen[2] = {BUFFER_EMPTY, BUFFER_EMPTY};
    for (int i = 0; i < 2; i++)
        show(&seen[i], twins[i]);
    cr_assert_str_eq(buffer_text(&seen[0]), buffer_text(&seen[1]), "at step %u", step);
    for (int i = 0; i < 2; i++)
        buffer_fini(&seen[i]);
}

static void add_job(void)
{
    char id[16];
    struct store_job_given given = {.id = id, .name = "n", .file = "f", .submitted_wall_ns = now};
    uint64_t keys[2];
    if (jobs_count == JOBS_MOST)
        return;
    snprintf(id, sizeof(id), "J%llu", (unsigned long long)++jobs_count);
    for (int i = 0; i < 2; i++)
        cr_assert(store_add_job(twins[i], &given, &keys[i], NULL));
    cr_assert_eq(keys[0], jobs_count);
    cr_assert_eq(keys[1], jobs_count);
}

/* A job that may still be unfinished, mostly one of the last. */
static uint64_t pick_job(void)
{
    uint64_t back = pick(4) == 0 ? pick((unsigned)jobs_count) : pick(6) % jobs_count;
    return jobs_count - back;
}

static void add_tasks(uint64_t job)
{
    struct store_new_task tasks[300];
    size_t count = pick(8) == 0 ? 1 + pick(300) : 1 + pick(5);
    if (is_sealed[job] || is_gone[job])
        return;
    for (size_t i = 0; i < count; i++)
        tasks[i] = (struct store_new_task){
            .handle = (const void *)(uintptr_t)(2 * (1 + pick(1000))),
            .due_wall_ns = pick(6) == 0 ? 1 + pick(900) : 0,
        };
    for (int i = 0; i < 2; i++)
        cr_assert(store_add_tasks(twins[i], job, tasks, count, NULL));
    tasks_count[job] += (uint32_t)count;
}

static void seal(uint64_t job)
{
    if (is_sealed[job] || is_gone[job])
        return;
    is_sealed[job] = true;
    for (int i = 0; i < 2; i++)
        cr_assert(store_seal_job(twins[i], job, NULL));
}

static struct store_name pick_name(uint64_t job, int twin, uint32_t number, uint32_t attempt)
{
    return (struct store_name){job, store_epoch(twins[twin]), number, attempt};
}

static void end(uint64_t job)
{
    static const enum store_state states[] = {STORE_SUCCEEDED, STORE_SUCCEEDED, STORE_FAILED,
                                              STORE_TIMED_OUT, STORE_CANCELLED, STORE_SKIPPED};
    uint32_t number = pick(tasks_count[job] + 1), attempt = 1 + (pick(3) == 0 ? pick(3) : 0);
    struct store_end said = {
        .state = states[pick(6)],
        .how = {.started_wall_ns = pick(3), .ended_wall_ns = now++, .reason = "r", .message = "m"},
        .outputs = "k\0v",
        .outputs_bytes = 4,
    };
    enum store_answer answers[2];
    for (int i = 0; i < 2; i++) {
        said.name = pick_name(job, i, number, attempt);
        cr_assert(store_end(twins[i], &said, 1, NULL));
        answers[i] = said.answer;
    }
    cr_assert_eq(answers[0] == STORE_DONE, answers[1] == STORE_DONE, "%d %d", answers[0],
                 answers[1]);
}

static void retry(uint64_t job)
{
    uint32_t number = pick(tasks_count[job] + 1), attempt = 1 + pick(3);
    struct store_retry said = {
        .how = {.charged = pick(2) == 0,
                .started_wall_ns = 1,
                .reason = "busy",
                .message = "again"},
        .due_wall_ns = pick(2) == 0 ? 0 : 1 + pick(900),
    };
    enum store_answer answers[2];
    for (int i = 0; i < 2; i++) {
        said.name = pick_name(job, i, number, attempt);
        cr_assert(store_retry(twins[i], &said, 1, NULL));
        answers[i] = said.answer;
    }
    cr_assert_eq(answers[0] == STORE_DONE, answers[1] == STORE_DONE);
}

static void write_log(uint64_t job)
{
    uint32_t number = pick(tasks_count[job] + 1);
    struct store_written said = {.text = "one line\nanother", .length = 9 + pick(8)};
    for (int i = 0; i < 2; i++) {
        said.name = pick_name(job, i, number, 1);
        cr_assert(store_write_log(twins[i], &said, 1, NULL));
    }
}

static void requeue(uint64_t job)
{
    struct store_query query = {.job = pick(3) == 0 ? 0 : job, .limit = pick(3)};
    struct buffer seen[2] = {BUFFER_EMPTY, BUFFER_EMPTY};
    for (int i = 0; i < 2; i++)
        cr_assert(store_requeue(twins[i], &query, show_task, &seen[i], NULL));
    cr_assert_str_eq(buffer_text(&seen[0]), buffer_text(&seen[1]));
    for (int i = 0; i < 2; i++)
        buffer_fini(&seen[i]);
}

static void drop(uint64_t job)
{
    struct store_query query = {.job = job, .limit = 1 + pick(3)};
    uint64_t counts[2];
    for (int i = 0; i < 2; i++)
        cr_assert(store_drop(twins[i], &query, &counts[i], NULL));
    cr_assert_eq(counts[0], counts[1]);
}

/* Of all that has ended: a job may be over long after its last end, and then the two differ in when
 * they find it. */
static void prune(void)
{
    int64_t before = now + 1;
    uint64_t counts[2];
    for (int i = 0; i < 2; i++)
        cr_assert(store_prune(twins[i], before, &counts[i], NULL));
    cr_assert_eq(counts[0], counts[1]);
}

/* What is over a limit goes with a commit, so what is forgotten before leaves room for more. */
static void forget(uint64_t job)
{
    is_gone[job] = true;
    cr_assert(store_commit(twins[1], NULL));
    for (int i = 0; i < 2; i++)
        cr_assert(store_forget_job(twins[i], job, NULL));
}

static void stop(uint64_t job)
{
    for (int i = 0; i < 2; i++)
        cr_assert(store_stop_job(twins[i], job, NULL));
}

static void reopen(void)
{
    store_close(&twins[1]);
    twins[1] = open_one("sqlite", FINISHED_MAX);
}

static void report(void *context, const struct store_finding *finding)
{
    (void)context;
    cr_assert(false, "%s", finding->what);
}

static void check_and_reopen(void)
{
    struct store_check check = {.place = state_place, .report = report};
    struct error error;
    store_close(&twins[1]);
    cr_assert(store_check(&check, &error), "%s", error.message);
    twins[1] = open_one("sqlite", FINISHED_MAX);
}

static void step(void)
{
    uint64_t job = pick_job();
    unsigned what = pick(200);

    if (what < 16)
        add_job();
    else if (what < 50)
        add_tasks(job);
    else if (what < 62)
        seal(job);
    else if (what < 160)
        for (int i = 0; i < 5; i++)
            end(job);
    else if (what < 176)
        retry(job);
    else if (what < 184)
        write_log(job);
    else if (what < 190)
        requeue(job);
    else if (what < 193)
        drop(job);
    else if (what < 195)
        prune();
    else if (what < 196)
        forget(job);
    else if (what < 198)
        stop(job);
    else
        reopen();
}

static void live(unsigned seed)
{
    state_folder_make();
    random_state = seed;
    twins[0] = open_one("memory", FINISHED_MAX);
    twins[1] = open_one("sqlite", FINISHED_MAX);
    add_job();
    for (unsigned i = 1; i <= STEPS; i++) {
        step();
        if (i % LOOK_EVERY == 0)
            compare(i);
        if (i % 1000 == 0)
            check_and_reopen();
    }
    for (int i = 0; i < 2; i++)
        store_close(&twins[i]);
    state_folder_remove();
}

Test(store_twins, show_the_same_whatever_is_said)
{
    live(1);
}

Test(store_twins, show_the_same_in_another_life)
{
    live(20261126);
}
