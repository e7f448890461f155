#include "host.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "accept/feeder.h"
#include "accept/inbound.h"
#include "accept/room.h"
#include "dispatch/admission.h"
#include "dispatch/dispatcher.h"
#include "dispatch/router.h"
#include "dispatch/scheduler.h"
#include "execute/executor.h"
#include "outcome/delayed.h"
#include "support/clock.h"
#include "support/log.h"
#include "support/loop.h"

struct host {
    /* immutable while it runs */
    const struct config *config;
    struct host_handlers handlers;
    enum job_mode mode;
    struct registry *registry;
    struct router_group *groups; /* what the configuration says, for the router */
    struct loop *loop;
    struct store *store;
    struct chunk_pool chunks;
    struct room pending;
    struct inbound *inbound;
    struct feeder *feeder;
    struct admission *admission;
    struct executor *executor;
    struct router *router;
    struct dispatchers *dispatchers;
    struct delayed *delayed;
    struct outcome *outcome;
    struct reader *reader;
    struct reader_input *inputs;
    size_t inputs_count;
    /* atomic */
    _Atomic size_t jobs_over;
    _Atomic bool job_stops; /* a job has failed fast and is to be purged */
    /* the control loop */
    enum host_end end;
    int signals;
    int64_t cancel_ns; /* when running calls are to be cancelled; CLOCK_NEVER_NS: not at all */
    int64_t tick_ns;   /* when the next tick is due */
};

/* ---- what flows backwards: the stages' callbacks ---- */

static void wake(void *context)
{
    struct host *host = context;
    loop_wake(host->loop);
}

static void on_job_over(void *context, struct job *job)
{
    struct host *host = context;
    (void)job;
    atomic_fetch_add(&host->jobs_over, 1);
    loop_wake(host->loop);
}

static void on_job_stops(void *context, struct job *job)
{
    struct host *host = context;
    (void)job;
    atomic_store(&host->job_stops, true);
    loop_wake(host->loop);
}

static bool delay(void *context, struct task *task, int64_t due_ns)
{
    struct host *host = context;
    return delayed_add(host->delayed, task, due_ns);
}

/* Ends tasks that are not to start, since their job or the host stops. */
static void drop(void *context, struct task_list *tasks)
{
    struct host *host = context;
    struct outcome_tally tally;
    outcome_tally_init(&tally);
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;)
        outcome_drop_stopped(host->outcome, task, &tally);
    outcome_flush(host->outcome, &tally);
}

/* Keeps tasks that left their queue because nobody serves their type. */
static void park(void *context, struct task_list *tasks)
{
    struct host *host = context;
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;)
        router_park(host->router, task);
    loop_wake(host->loop);
}

/* ---- the control loop ---- */

/* Takes everything of a job (NULL: of all) that has not started out of every stage, and ends it. */
static void purge(struct host *host, const struct job *job)
{
    struct task_list purged;
    task_list_init(&purged);
    delayed_purge(host->delayed, job, &purged);
    executor_purge(host->executor, job, &purged);
    router_unpark(host->router, job, &purged);
    drop(host, &purged);
}

static void purge_failed_fast(struct host *host)
{
    if (!atomic_exchange(&host->job_stops, false))
        return;
    for (size_t i = 0; i < host->inputs_count; i++)
        if (atomic_load(&host->inputs[i].job->stop) == JOB_FAILED_FAST)
            purge(host, host->inputs[i].job);
}

static void release_delayed(struct host *host, int64_t now_ns, int64_t *next_ns)
{
    struct task_list due;
    task_list_init(&due);
    int64_t due_ns = delayed_release(host->delayed, now_ns, &due);
    if (due.count > 0)
        feeder_release(host->feeder, &due);
    if (due_ns < *next_ns)
        *next_ns = due_ns;
}

/* When nothing runs any more and only parked tasks are left, nobody will ever run them; a reader
 * that is still at work counts only while there is room for what it brings. */
static void skip_parked(struct host *host)
{
    size_t parked = router_parked(host->router);
    bool more_may_come = host->signals == 0 && reader_state(host->reader) == READER_AT_WORK &&
                         !room_is_full(&host->pending);
    if (parked == 0 || more_may_come || room_watch(&host->pending, parked) > parked)
        return;
    struct task_list tasks;
    struct outcome_tally tally;
    char why[512];
    outcome_tally_init(&tally);
    task_list_init(&tasks);
    router_unpark(host->router, NULL, &tasks);
    for (struct task *task; (task = task_list_pop(&tasks)) != NULL;) {
        struct outcome_reason reason = {"parked",
                                        router_explain(host->router, task, why, sizeof why)};
        outcome_drop(host->outcome, task, TASK_SKIPPED, &reason, &tally);
    }
    outcome_flush(host->outcome, &tally);
}

static void stop_starting(struct host *host, enum host_end end, int64_t now_ns)
{
    host->end = end;
    host->cancel_ns = clock_add_ns(now_ns, host->config->grace_ns);
    for (size_t i = 0; i < host->inputs_count; i++) {
        int goes_on = JOB_GOES_ON;
        atomic_compare_exchange_strong(&host->inputs[i].job->stop, &goes_on, JOB_CANCELLED);
    }
    room_close(&host->pending);
    executor_close(host->executor);
    inbound_close(host->inbound);
    struct task_list left;
    task_list_init(&left);
    feeder_stop(&host->feeder, &left);
    drop(host, &left);
    purge(host, NULL);
}

static void stop(struct host *host, enum host_end end)
{
    int64_t now_ns = clock_now_ns();
    if (host->signals++ == 0) {
        log_info("stopping: running tasks may finish in the grace period, another signal cancels",
                 LOG_NUMBER("running", host_running(host)));
        stop_starting(host, end, now_ns);
    } else {
        host->cancel_ns = now_ns;
    }
}

static void on_signal(void *context, const struct signalfd_siginfo *info)
{
    struct host *host = context;
    if (info->ssi_signo == SIGINT)
        stop(host, HOST_INTERRUPTED);
    else if (info->ssi_signo == SIGTERM || info->ssi_code == SI_KERNEL)
        stop(host, HOST_TERMINATED); /* a SIGHUP of the kernel: the terminal went away */
    else
        log_warning("SIGHUP is ignored: this version does not reload");
    loop_wake(host->loop);
}

static bool is_over(struct host *host)
{
    if (host->signals > 0) /* the reader may wait for input for ever */
        return room_watch(&host->pending, 0) == 0;
    return reader_state(host->reader) != READER_AT_WORK &&
           atomic_load(&host->jobs_over) == host->inputs_count;
}

static void tick(struct host *host, int64_t now_ns, int64_t *next_ns)
{
    if (host->handlers.tick == NULL)
        return;
    if (now_ns >= host->tick_ns) {
        host->handlers.tick(host->handlers.context, now_ns);
        host->tick_ns = clock_add_ns(now_ns, host->handlers.tick_ns);
    }
    if (host->tick_ns < *next_ns)
        *next_ns = host->tick_ns;
}

static void cancel_in_time(struct host *host, int64_t now_ns, int64_t *next_ns)
{
    if (host->cancel_ns <= now_ns) {
        executor_cancel(host->executor, now_ns);
        host->cancel_ns = CLOCK_NEVER_NS;
    }
    if (host->cancel_ns < *next_ns)
        *next_ns = host->cancel_ns;
}

static void step(struct host *host)
{
    int64_t now_ns = clock_now_ns();
    int64_t next_ns = CLOCK_NEVER_NS;
    if (host->reader == NULL)
        return;
    purge_failed_fast(host);
    if (host->signals == 0)
        release_delayed(host, now_ns, &next_ns);
    cancel_in_time(host, now_ns, &next_ns);
    int64_t watch_ns = executor_watch(host->executor, now_ns);
    if (watch_ns < next_ns)
        next_ns = watch_ns;
    skip_parked(host);
    tick(host, now_ns, &next_ns);
    loop_set_deadline(host->loop, next_ns);
    if (is_over(host))
        loop_stop(host->loop);
}

static void on_deadline(void *context, int64_t now_ns)
{
    (void)now_ns;
    step(context);
}

static void on_wake(void *context)
{
    step(context);
}

/* ---- from the configuration to threads, and back ---- */

static bool create_loop(struct host *host, struct error *error)
{
    struct loop_handlers handlers = {
        .context = host, .on_signal = on_signal, .on_deadline = on_deadline, .on_wake = on_wake};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    host->loop = loop_create(&signals, &handlers, error);
    return host->loop != NULL;
}

/* `run` keeps nothing of what has ended: the report hears of it when it happens. */
static bool open_store(struct host *host, struct error *error)
{
    struct store_options options = {.describe = task_describe};
    host->store = store_open("memory", &options, error);
    return host->store != NULL;
}

static void create_intake(struct host *host)
{
    size_t room = (size_t)host->config->max_pending;
    if (host->mode == JOB_STREAMED && room > JOB_STREAM_WINDOW)
        room = JOB_STREAM_WINDOW;
    chunk_pool_init(&host->chunks);
    room_init(&host->pending, room);
    host->inbound = inbound_create((size_t)host->config->inbound_capacity);
}

/* The hooks share one context, the host; the one who listens has another. */
static void on_ended(void *context, const struct outcome_record *record)
{
    const struct host_handlers *handlers = &((struct host *)context)->handlers;
    handlers->ended(handlers->context, record);
}

static void create_outcome(struct host *host)
{
    struct outcome_hooks hooks = {.context = host,
                                  .ended = host->handlers.ended != NULL ? on_ended : NULL,
                                  .wants_all = host->handlers.wants_all,
                                  .job_over = on_job_over,
                                  .room_reached = wake,
                                  .job_stops = on_job_stops,
                                  .delay = delay};
    host->delayed = delayed_create(wake, host);
    host->outcome = outcome_create(&hooks, host->store, &host->pending);
}

static void create_executor(struct host *host)
{
    host->admission = admission_create((int32_t)host->config->max_weight);
    struct executor_options options = {.registry = host->registry,
                                       .outcome = host->outcome,
                                       .gate = admission_gate(host->admission),
                                       .grace_ns = host->config->grace_ns,
                                       .max_age_ns = host->config->max_age_ns,
                                       .context = host,
                                       .wake = wake,
                                       .unserved = park};
    host->executor = executor_create(&options);
}

static void create_router(struct host *host)
{
    const struct config *config = host->config;
    host->groups = calloc(config->groups_count + 1, sizeof *host->groups);
    if (host->groups == NULL)
        abort();
    for (size_t i = 0; i < config->groups_count; i++) {
        const struct config_group *group = &config->groups[i];
        host->groups[i] = (struct router_group){.name = group->name,
                                                .type = group->type,
                                                .labels = &group->labels,
                                                .workers = (uint32_t)group->workers,
                                                .max_weight = (int32_t)group->max_weight,
                                                .reserve = (int32_t)group->reserve};
    }
    struct router_options options = {.registry = host->registry,
                                     .executor = host->executor,
                                     .admission = host->admission,
                                     .groups = host->groups,
                                     .groups_count = config->groups_count,
                                     .default_workers = (uint32_t)config->workers};
    host->router = router_create(&options);
}

static bool start_dispatch(struct host *host, struct error *error)
{
    const struct scheduler *scheduler = scheduler_find(host->config->policy);
    assert(scheduler != NULL); /* the configuration was checked */
    struct dispatcher_options options = {.inbound = host->inbound,
                                         .router = host->router,
                                         .scheduler = scheduler,
                                         .context = host,
                                         .drop = drop,
                                         .parked = wake};
    host->dispatchers = dispatchers_start(&options, (size_t)host->config->dispatchers, error);
    if (host->dispatchers == NULL)
        return false;
    host->feeder = feeder_start(host->inbound, error);
    return host->feeder != NULL;
}

struct host *host_create(const struct config *config, struct registry *registry, enum job_mode mode,
                         const struct host_handlers *handlers, struct error *error)
{
    struct host *host = calloc(1, sizeof *host);
    if (host == NULL)
        abort();
    host->config = config;
    host->registry = registry;
    host->mode = mode;
    host->handlers = *handlers;
    host->end = HOST_FINISHED;
    host->cancel_ns = CLOCK_NEVER_NS;
    if (!open_store(host, error)) {
        free(host);
        return NULL;
    }
    create_intake(host);
    create_outcome(host);
    create_executor(host);
    create_router(host);
    if (!create_loop(host, error) || !start_dispatch(host, error))
        host_destroy(&host);
    return host;
}

void host_destroy(struct host **host_pointer)
{
    struct host *host = *host_pointer;
    if (host == NULL)
        return;
    struct task_list left;
    task_list_init(&left);
    reader_stop(&host->reader);
    inbound_close(host->inbound);
    dispatchers_stop(&host->dispatchers);
    feeder_stop(&host->feeder, &left);
    assert(left.count == 0);
    executor_destroy(&host->executor);
    router_destroy(&host->router);
    free(host->groups);
    admission_destroy(&host->admission);
    outcome_destroy(&host->outcome);
    delayed_destroy(&host->delayed);
    inbound_destroy(&host->inbound);
    for (size_t i = 0; i < host->inputs_count; i++)
        job_destroy(&host->inputs[i].job);
    store_close(&host->store);
    room_fini(&host->pending);
    chunk_pool_fini(&host->chunks);
    loop_destroy(&host->loop);
    free(host);
    *host_pointer = NULL;
}

/* ---- running ---- */

/* A job's name, unless its file says one: the file's name without folder and extension. */
static void default_name(const char *file, char *name, size_t capacity)
{
    const char *slash = strrchr(file, '/');
    const char *base = strcmp(file, "-") == 0 ? "stdin" : slash != NULL ? slash + 1 : file;
    const char *dot = strrchr(base, '.');
    size_t length = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
    if (length >= capacity)
        length = capacity - 1;
    memcpy(name, base, length);
    name[length] = '\0';
}

static struct reader *start_reader(struct host *host, struct error *error)
{
    struct reader_options options = {
        .file = {.registry = host->registry,
                 .weight_capacity = (int32_t)host->config->max_weight,
                 .default_timeout_ns = host->config->timeout_ns},
        .intake = {.store = host->store,
                   .inbound = host->inbound,
                   .pending = &host->pending,
                   .context = host,
                   .delay = delay,
                   .drop = drop},
        .mode = host->mode,
        .inputs = host->inputs,
        .count = host->inputs_count,
        .context = host,
        .job_over = on_job_over,
        .done = wake,
    };
    return reader_start(&options, error);
}

enum host_end host_run(struct host *host, struct reader_input *inputs, size_t count)
{
    struct error error;
    host->inputs = inputs;
    host->inputs_count = count;
    for (size_t i = 0; i < count; i++) {
        char name[256];
        default_name(inputs[i].file, name, sizeof name);
        inputs[i].job = job_create(&host->chunks, name, inputs[i].file, host->mode);
    }
    host->reader = start_reader(host, &error);
    if (host->reader == NULL) {
        log_error("the reader could not start", LOG_TEXT("reason", error.message));
        abort();
    }
    loop_wake(host->loop);
    loop_run(host->loop);
    if (host->handlers.tick != NULL)
        host->handlers.tick(host->handlers.context, clock_now_ns());
    if (host->signals == 0 && reader_state(host->reader) == READER_INVALID)
        return HOST_INVALID;
    return host->end;
}

uint32_t host_stuck(const struct host *host)
{
    return executor_stuck(host->executor) + host_reading(host);
}

bool host_reading(const struct host *host)
{
    return host->reader != NULL && reader_state(host->reader) == READER_AT_WORK;
}

uint32_t host_running(const struct host *host)
{
    return executor_running(host->executor);
}
