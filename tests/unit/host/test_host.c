/* The stages together, with the real plugins and job files given as text. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../await.h"
#include "config.h"
#include "host.h"
#include "stages.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/clock.h"

enum { INPUTS_MOST = 2 };

/* A host with its inputs. */
static struct inn {
    char state_dir[32];
    struct config config;
    struct registry *registry;
    struct host *host;
    struct reader_input inputs[INPUTS_MOST];
    size_t count;
    _Atomic int ended;
    char last_reason[32], last_message[200];
} inn;

static void inn_begin(void)
{
    static const char *const folders[] = {TEST_BUILD_DIR "/plugins", NULL};
    struct error error;
    config_init(&inn.config);
    cr_assert(config_set_plugin_dirs(&inn.config, folders, 1, &error), "%s", error.message);
    snprintf(inn.state_dir, sizeof inn.state_dir, "/tmp/sluice-test-XXXXXX");
    cr_assert_not_null(mkdtemp(inn.state_dir));
    inn.config.state_dir = strdup(inn.state_dir);
    struct registry_options options = {
        .plugin_dirs = folders, .state_dir = inn.state_dir, .start_limit_ns = 10 * NS_PER_S};
    inn.registry = registry_create(&options, &error);
    cr_assert_not_null(inn.registry, "%s", error.message);
}

/* Criterion does not count what is asserted in here, an abort it does. */
static void inn_end(void)
{
    char command[64];
    int64_t until_ns = clock_now_ns() + AWAIT_MOST_NS;
    while (host_reading(inn.host) && clock_now_ns() < until_ns)
        sched_yield();
    if (!host_stop(inn.host))
        abort();
    host_destroy(&inn.host);
    registry_destroy(&inn.registry);
    for (size_t i = 0; i < inn.count; i++) {
        close(inn.inputs[i].fd);
        diagnostics_fini(&inn.inputs[i].diagnostics);
    }
    config_fini(&inn.config);
    snprintf(command, sizeof command, "rm -r %s", inn.state_dir);
    if (system(command) != 0)
        abort();
}

TestSuite(host, .init = inn_begin, .fini = inn_end, .timeout = 60);

static void on_ended(void *context, const struct outcome_record *record)
{
    (void)context;
    snprintf(inn.last_reason, sizeof inn.last_reason, "%s", record->attempt->reason);
    snprintf(inn.last_message, sizeof inn.last_message, "%s", record->attempt->message);
    inn.ended++;
}

static void open_host(enum job_mode mode, void (*ended)(void *, const struct outcome_record *))
{
    struct host_handlers handlers = {.ended = ended, .wants_all = true};
    struct error error;
    inn.host = host_create(&inn.config, inn.registry, mode, &handlers, &error);
    cr_assert_not_null(inn.host, "%s", error.message);
}

static void add_fd(int fd)
{
    inn.inputs[inn.count] = (struct reader_input){.file = "test.yaml", .fd = fd};
    diagnostics_init(&inn.inputs[inn.count++].diagnostics, "test.yaml");
}

/* A job file of a head and count times the same line. */
static void add_job(const char *head, const char *line, int count)
{
    FILE *file = fdopen(memfd_create("job", 0), "w+");
    fprintf(file, "version: 1\n%stasks:\n", head);
    for (int i = 0; i < count; i++)
        fprintf(file, "  - %s\n", line);
    rewind(file);
    add_fd(dup(fileno(file)));
    fclose(file);
}

static enum host_end run(void)
{
    struct error error;
    return host_run(inn.host, inn.inputs, inn.count, &error);
}

static uint32_t ended_in(int index, enum task_state state)
{
    const struct job *job = host_next_job(inn.host, NULL);
    for (; index > 0; index--)
        job = host_next_job(inn.host, job);
    return job != NULL ? job->ended[state] : 0; /* it was never read */
}

Test(host, runs_the_tasks_of_two_jobs_and_counts_them_apart)
{
    open_host(JOB_CHECKED, on_ended);
    add_job("", "{type: noop, params: {n: 1}}", 3000);
    add_job("", "{type: sleep, params: {for: 1ms}}", 20);
    cr_assert_eq(run(), HOST_FINISHED);
    cr_assert_eq(ended_in(0, TASK_SUCCEEDED), 3000);
    cr_assert_eq(ended_in(1, TASK_SUCCEEDED), 20);
    cr_assert_eq(inn.ended, 3020);
}

Test(host, runs_nothing_when_one_of_two_files_is_wrong)
{
    open_host(JOB_CHECKED, on_ended);
    add_job("", "{type: noop}", 10);
    add_job("", "{type: nope}", 1);
    cr_assert_eq(run(), HOST_INVALID);
    cr_assert_eq(inn.ended, 0);
}

Test(host, a_delayed_task_starts_when_its_time_has_come)
{
    int64_t begun_ns = clock_now_ns();
    open_host(JOB_CHECKED, on_ended);
    add_job("", "{type: noop, delay: 30ms}", 3);
    cr_assert_eq(run(), HOST_FINISHED);
    cr_assert_eq(ended_in(0, TASK_SUCCEEDED), 3);
    cr_assert_geq(clock_now_ns() - begun_ns, 30 * NS_PER_MS);
}

Test(host, a_fail_fast_job_skips_what_has_not_started)
{
    open_host(JOB_CHECKED, on_ended);
    add_job("fail_fast: true\n", "{type: sleep, params: {for: 1h}, timeout: 1ms}", 1000);
    cr_assert_eq(run(), HOST_FINISHED);
    cr_assert_geq(ended_in(0, TASK_TIMED_OUT), 1);
    cr_assert_geq(ended_in(0, TASK_SKIPPED), 900);
}

Test(host, a_task_that_no_group_may_run_is_skipped_with_the_reason)
{
    open_host(JOB_CHECKED, on_ended);
    add_job("", "{type: noop, labels: {region: nowhere}}", 100);
    cr_assert_eq(run(), HOST_FINISHED);
    cr_assert_eq(ended_in(0, TASK_SKIPPED), 100);
    cr_assert_str_eq(inn.last_reason, "parked");
    cr_assert_str_eq(inn.last_message, "no group with labels region=nowhere for type 'noop'");
}

Test(host, a_stream_whose_window_is_full_of_parked_tasks_goes_on)
{
    open_host(JOB_STREAMED, on_ended);
    add_job("", "{type: noop, labels: {region: nowhere}}", 2 * JOB_STREAM_WINDOW + 5);
    cr_assert_eq(run(), HOST_FINISHED);
    cr_assert_eq(ended_in(0, TASK_SKIPPED), 2 * JOB_STREAM_WINDOW + 5);
}

static void interrupt(void *context, const struct outcome_record *record)
{
    on_ended(context, record);
    kill(getpid(), SIGINT);
}

Test(host, an_interrupt_while_the_input_pauses_ends_the_run_at_once)
{
    int ends[2];
    static const char text[] = "version: 1\ntasks:\n  - {type: noop}\n  - {type: noop, delay: 1h}\n"
                               "  - {type: noop, delay: 1h}\n";
    inn.config.grace_ns = 3600 * NS_PER_S;
    open_host(JOB_STREAMED, interrupt);
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], text, sizeof text - 1), (ssize_t)sizeof text - 1);
    add_fd(ends[0]);
    cr_assert_eq(run(), HOST_INTERRUPTED);
    cr_assert_eq(ended_in(0, TASK_SUCCEEDED), 1);
    close(ends[1]); /* the reader can end: everything is freed as usual */
}

Test(host, an_interrupt_before_anything_started_cancels_it_all)
{
    open_host(JOB_CHECKED, on_ended);
    add_job("", "{type: sleep, params: {for: 1h}, delay: 1ms}", 200);
    kill(getpid(), SIGINT); /* it waits: signals are blocked since host_create */
    cr_assert_eq(run(), HOST_INTERRUPTED);
    cr_assert_eq(ended_in(0, TASK_CANCELLED), inn.ended);
    cr_assert_eq(ended_in(0, TASK_SUCCEEDED), 0);
}

/* ---- a host whose store is a file ---- */

static enum { NOT_ASKED, NOT_DURABLE, DURABLE } last_job;

static void on_durable(struct store_wait *wait, const struct store_told *told)
{
    (void)wait;
    last_job = told->is_durable ? DURABLE : NOT_DURABLE;
}

/* It would write what nobody waits for after an hour. */
static struct store *open_patient_store(void)
{
    static char place[64];
    snprintf(place, sizeof place, "%s/sluice.db", inn.state_dir);
    const struct host_handlers handlers = {
        .store_backend = "sqlite",
        .store = {.place = place, .commit_interval_ns = 3600 * NS_PER_S}};
    struct error error;
    inn.host = host_create(&inn.config, inn.registry, JOB_CHECKED, &handlers, &error);
    cr_assert_not_null(inn.host, "%s", error.message);
    return host_stages(inn.host)->store;
}

Test(host, what_is_said_to_the_store_behind_the_last_task_is_written_when_it_is_stopped)
{
    static struct store_wait wait = {.done = on_durable};
    const struct store_job_given given = {.id = "A", .name = "a", .file = "a.yaml"};
    struct store *store = open_patient_store();
    struct error error;
    add_job("", "{type: noop}", 1);
    cr_assert_eq(run(), HOST_FINISHED);
    cr_assert(store_add_job(store, &given, &wait.job, &error), "%s", error.message);
    cr_assert(host_stop(inn.host));
    store_when_durable(store, &wait); /* answers at once if it is */
    cr_assert_eq(last_job, DURABLE);
}

/* ---- a host that goes on ---- */

enum { WAITING = 100 * 1000, CANCELLED = 1000 };

/* The processor time of this thread, which is the control loop's. */
static int64_t used_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * NS_PER_S + used.tv_nsec;
}

static _Atomic bool admitted;

static void on_answered(void *context, struct submission *submission)
{
    cr_assert_eq(submission->answer, SUBMISSION_ADMITTED);
    memcpy(context, submission->jobs[0]->id, JOB_ID_BYTES);
    submission_fini(submission);
    atomic_store(&admitted, true);
}

/* Sends a job whose first task holds up all others; its tasks are in their group then. */
static struct job *send_waiting(void)
{
    static struct submission submission;
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    char id[JOB_ID_BYTES];
    buffer_puts(&text, "version: 1\ntasks:\n");
    for (int i = 0; i < WAITING; i++)
        buffer_puts(&text, "  - {type: sleep, params: {for: 1h}}\n");
    submission_init(&submission, JOB_FILE_JOBS, text.bytes, text.length);
    submission.file = "test.yaml";
    submission.context = id;
    submission.answered = on_answered;
    host_submit(inn.host, &submission);
    AWAIT(atomic_load(&admitted));
    struct job *job = host_find_job(inn.host, id);
    for (uint32_t i = 1; i < WAITING; i++)
        AWAIT(task_state(job_task(job, i)) == TASK_QUEUED);
    return job;
}

struct stopwatch {
    struct loop_call call;
    int64_t ns;
};

static int cancelled; /* when the second stopwatch was read */

static void read_stopwatch(struct loop_call *call)
{
    ((struct stopwatch *)call)->ns = used_ns();
    cancelled = inn.ended;
}

static void stop_at_once(struct loop_call *call)
{
    (void)call;
    host_ask_stop(inn.host);
    host_ask_stop(inn.host);
}

Test(host, a_thousand_tasks_that_are_cancelled_together_cost_one_walk_over_the_queue)
{
    struct error error;
    struct stopwatch begun = {.call.run = read_stopwatch}, done = {.call.run = read_stopwatch};
    struct loop_call stop = {.run = stop_at_once};
    inn.config.workers = 1;
    open_host(JOB_CHECKED, on_ended);
    cr_assert(host_open(inn.host, &error), "%s", error.message);
    struct job *job = send_waiting();
    int64_t walk_ns = -used_ns();
    stages_purge(host_stages(inn.host), job); /* nothing is to go: a walk and no more */
    walk_ns += used_ns();
    host_call(inn.host, &begun.call);
    for (uint32_t i = 1; i <= CANCELLED; i++)
        host_cancel_task(inn.host, job, job_task(job, i * (WAITING / CANCELLED) - 1));
    host_call(inn.host, &done.call);
    host_call(inn.host, &stop);
    job_let_go(job);
    cr_assert_eq(host_serve(inn.host), HOST_FINISHED);
    cr_assert_eq(cancelled, CANCELLED);
    cr_assert_lt(done.ns - begun.ns, 100 * walk_ns);
}
