/* engine [--tasks N] [--types N] [--batch N] [--rate N] [--config FILE] [--plugins DIR] TYPE:
 * submits N no-op tasks in memory and prints how fast they went through. The way is the one of
 * `sluice run --stream`, stages and control loop, but for the job file: here the reader's thread
 * makes the tasks itself, 64 a submission as the reader does. One line comes out:
 *   engine: 1000000 tasks 0.400 s 2500000 tasks/s succeeded 1000000 sum 499999500000 cpu 0.520 s
 * The sum is that of the parameters n, cpu what all threads have used meanwhile. A type with a parameter `at` is told when it was submitted,
 * of --types N the types are TYPE.000, TYPE.001 and so on in turn. --rate N submits that many a
 * second, evenly, and not as fast as it can. */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/roles.h"
#include "stages.h"
#include "support/cleanup.h"
#include "support/loop.h"

enum { OPTION_TASKS = 3000, OPTION_TYPES, OPTION_BATCH, OPTION_RATE };
enum { READER_BATCH = 64, TYPES_MOST = 1000, RATE_MOST = 1000 * 1000 * 1000 };

struct engine {
    struct options common;
    const char *type;
    int64_t tasks, types, batch, rate;
    struct config config;
    struct plugins plugins;
    const struct offer *offers[TYPES_MOST]; /* pinned */
    bool timed;                             /* the types want to know when they were submitted */
    struct loop *loop;
    struct stages stages;
    struct thread producer;
    struct job *job;
    uint64_t sum;
    int64_t begun_ns, submitted_ns; /* the producer */
    int64_t begun_cpu_ns, over_cpu_ns;
    _Atomic int64_t over_ns; /* 0: the job is not over */
};

static const struct argp_option table[] = {
    {.name = "tasks", .key = OPTION_TASKS, .arg = "N", .doc = "how many"},
    {.name = "types", .key = OPTION_TYPES, .arg = "N", .doc = "of how many types, in turn"},
    {.name = "batch", .key = OPTION_BATCH, .arg = "N", .doc = "how many a submission"},
    {.name = "rate", .key = OPTION_RATE, .arg = "N", .doc = "how many a second at most"},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct engine *engine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &engine->common;
        return 0;
    case OPTION_TASKS:
        engine->tasks = options_number(state, "--tasks", argument, 1, JOB_TASKS_MOST);
        return 0;
    case OPTION_TYPES:
        engine->types = options_number(state, "--types", argument, 1, TYPES_MOST);
        return 0;
    case OPTION_BATCH:
        engine->batch = options_number(state, "--batch", argument, 1, JOB_STREAM_WINDOW);
        return 0;
    case OPTION_RATE:
        engine->rate = options_number(state, "--rate", argument, 1, RATE_MOST);
        return 0;
    case ARGP_KEY_ARG:
        engine->type = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
    }
    return ARGP_ERR_UNKNOWN;
}

/* ---- the producer, in the place of the reader ---- */

/* Writes t and at least seven digits; returns the length. */
static size_t write_id(char id[16], uint32_t number)
{
    char digits[10];
    size_t count = 0, length = 0;
    for (; number > 0 || count < 7; number /= 10)
        digits[count++] = (char)('0' + number % 10);
    id[length++] = 't';
    while (count > 0)
        id[length++] = digits[--count];
    return length;
}

static void pack(const struct engine *engine, uint32_t number, struct buffer *record)
{
    record->length = 0;
    params_put_head(record, SLUICE_KIND_INT, "n");
    params_put_int(record, number);
    if (!engine->timed)
        return;
    params_put_head(record, SLUICE_KIND_INT, "at");
    params_put_int(record, clock_now_ns());
}

/* What job_file makes of a task that says its id, its type and n. */
static struct task *make_task(struct engine *engine, uint32_t number, struct buffer *record)
{
    const struct offer *offer = engine->offers[number % (uint32_t)engine->types];
    uint32_t first_line;
    char id[16];
    size_t length = write_id(id, number);
    struct task *task = job_add_task(engine->job, id, length, &first_line);
    pack(engine, number, record);
    char *params = job_alloc(engine->job, record->length, 1);
    memcpy(params, record->bytes, record->length);
    task->params = params;
    task->params_bytes = (uint32_t)record->length;
    task->type = offer->type;
    task->timeout_ns = offer->timeout_ns > 0 ? offer->timeout_ns : engine->config.timeout_ns;
    task->weight = offer->weight == SLUICE_WEIGHT_AUTO ? TASK_WEIGHT_AUTO : offer->weight;
    engine->sum += number;
    return task;
}

/* Waits until a task is due; lets others have the core meanwhile. */
static void wait_for_turn(const struct engine *engine, uint32_t number)
{
    if (engine->rate == 0)
        return;
    int64_t due_ns = engine->begun_ns + number * NS_PER_S / engine->rate;
    while (clock_now_ns() < due_ns)
        sched_yield();
}

static int64_t cpu_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void on_job_over(void *context, struct job *job)
{
    struct engine *engine = context;
    (void)job;
    engine->over_cpu_ns = cpu_now_ns();
    atomic_store(&engine->over_ns, clock_now_ns());
    loop_wake(engine->loop);
}

static void produce(void *context)
{
    struct engine *engine = context;
    CLEANUP(buffer_fini) struct buffer record = BUFFER_EMPTY;
    uint32_t tasks = (uint32_t)engine->tasks;
    struct task_list batch;
    task_list_init(&batch);
    engine->begun_cpu_ns = cpu_now_ns();
    engine->begun_ns = clock_now_ns();
    for (uint32_t number = 0; number < tasks; number++) {
        wait_for_turn(engine, number);
        task_list_push(&batch, make_task(engine, number, &record));
        if (batch.count == (size_t)engine->batch || number + 1 == tasks)
            intake_submit(&engine->stages.intake, &batch);
    }
    engine->submitted_ns = clock_now_ns();
    job_seal(engine->job);
    intake_seal(&engine->stages.intake, engine->job);
    if (job_count_ended(engine->job, TASK_ACCEPTED, 1))
        on_job_over(engine, engine->job);
}

/* ---- the control loop, as in host.c ---- */

static void step(void *context)
{
    struct engine *engine = context;
    int64_t now_ns = clock_now_ns();
    int64_t delayed_ns = stages_release_delayed(&engine->stages, now_ns);
    int64_t watch_ns = executor_watch(engine->stages.executor, now_ns);
    loop_set_deadline(engine->loop, delayed_ns < watch_ns ? delayed_ns : watch_ns);
    if (atomic_load(&engine->over_ns) > 0)
        loop_stop(engine->loop);
}

static void on_deadline(void *context, int64_t now_ns)
{
    (void)now_ns;
    step(context);
}

static void wake(void *context)
{
    struct engine *engine = context;
    loop_wake(engine->loop);
}

/* `run` is told of those that do not succeed. */
static void on_ended(void *context, const struct outcome_record *record)
{
    (void)context;
    fprintf(stderr, "task %s: %s\n", record->task->id, record->attempt->message);
}

static void on_job_stops(void *context, struct job *job)
{
    (void)context;
    (void)job;
}

/* ---- making ---- */

static bool find_offers(struct engine *engine, struct error *error)
{
    char name[TYPE_NAME_MOST_BYTES + 1];
    for (int64_t i = 0; i < engine->types; i++) {
        snprintf(name, sizeof name, engine->types > 1 ? "%s.%03" PRId64 : "%s", engine->type, i);
        switch (registry_find(engine->plugins.registry, name, strlen(name), &engine->offers[i],
                              error)) {
        case REGISTRY_FOUND:
            break;
        case REGISTRY_UNKNOWN:
            return error_set(error, "unknown_type", "no plugin has the task type '%s'", name);
        case REGISTRY_REFUSED:
        case REGISTRY_LOADING:
            return false;
        }
    }
    engine->timed = param_table_find(&engine->offers[0]->params, "at", 2, NULL) != NULL;
    return true;
}

static bool start(struct engine *engine, struct error *error)
{
    struct loop_handlers handlers = {
        .context = engine, .on_deadline = on_deadline, .on_wake = step};
    struct stages_options options = {.config = &engine->config,
                                     .registry = engine->plugins.registry,
                                     .mode = JOB_STREAMED,
                                     .listener = engine,
                                     .ended = on_ended,
                                     .store_backend = "memory",
                                     .context = engine,
                                     .wake = wake,
                                     .job_over = on_job_over,
                                     .job_stops = on_job_stops};
    sigset_t none;
    sigemptyset(&none);
    engine->loop = loop_create(&none, &handlers, error);
    if (engine->loop == NULL || !stages_start(&engine->stages, &options, error))
        return false;
    engine->job = job_create(&engine->stages.chunks, "engine", "-", JOB_STREAMED);
    return thread_start(&engine->producer, "producer", produce, engine, error);
}

static bool print_result(const struct engine *engine)
{
    double seconds = (double)(engine->over_ns - engine->begun_ns) / 1e9;
    double cpu = (double)(engine->over_cpu_ns - engine->begun_cpu_ns) / 1e9;
    double offered = (double)(engine->submitted_ns - engine->begun_ns) / 1e9;
    uint32_t succeeded = engine->job->ended[TASK_SUCCEEDED];
    printf("engine: %" PRId64 " tasks %.6f s %.0f tasks/s ", engine->tasks, seconds,
           (double)engine->tasks / seconds);
    printf("succeeded %" PRIu32 " sum %" PRIu64 " cpu %.6f s\n", succeeded, engine->sum, cpu);
    if (engine->rate > 0)
        printf("submitted %.0f tasks/s\n", (double)engine->tasks / offered);
    return succeeded == (uint32_t)engine->tasks;
}

static void finish(struct engine *engine)
{
    thread_join(&engine->producer);
    stages_stop(&engine->stages, CLOCK_NEVER_NS);
    job_destroy(&engine->job);
    stages_fini(&engine->stages);
    loop_destroy(&engine->loop);
    for (int64_t i = 0; i < engine->types; i++)
        registry_unpin(engine->plugins.registry, engine->offers[i]);
    plugins_close(&engine->plugins);
    config_fini(&engine->config);
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = table, .parser = parse, .args_doc = "TYPE", .children = options_children};
    static struct engine engine = {.tasks = 1000000, .types = 1, .batch = READER_BATCH};
    struct error error;
    int code;
    if (roles_run(argc, argv, &code)) /* a worker process of ours */
        return code;
    argp_parse(&argp, argc, argv, 0, NULL, &engine);
    if (!options_configure(&engine.common, &engine.config, &code))
        return code;
    if (!plugins_open(&engine.plugins, &engine.config))
        return EXIT_HOST;
    if (!find_offers(&engine, &error) || !start(&engine, &error)) {
        output_error("%s", error.message);
        return EXIT_HOST;
    }
    loop_run(engine.loop);
    bool well = print_result(&engine);
    finish(&engine);
    return well ? EXIT_ALL_WELL : EXIT_TASKS;
}
