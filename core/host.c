#include "host.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "execute/executor.h"
#include "stages.h"
#include "support/clock.h"
#include "support/log.h"
#include "support/loop.h"
#include "support/memory.h"

#define LEAVE_NS (NS_PER_S / 2) /* what a reader gets to see that it is interrupted */

/* Of a stream, not yet over: each holds some 20 KB, however small it is. */
enum { STREAM_JOBS_MOST = 1024 };

struct host {
    /* immutable while it runs */
    const struct config *config;
    struct host_handlers handlers;
    enum job_mode mode;
    struct registry *registry;
    struct loop *loop;
    struct stages stages;
    struct reader *reader;
    struct mutex lock;
    struct cond job_may_begin;
    /* guarded by lock */
    struct job_list jobs;           /* all that were begun */
    size_t jobs_over;               /* of them */
    struct job *jobs_stopped;       /* have failed fast and are to be purged */
    bool stopping;                  /* jobs that are begun now are not to run */
    bool reader_waits;              /* for another job to be over */
    struct generation **superseded; /* are to be drained */
    size_t superseded_count;
    /* the control loop */
    enum host_end end;
    int signals;
    int64_t cancel_ns; /* when running calls are to be cancelled; CLOCK_NEVER_NS: not at all */
    int64_t leave_ns;  /* after a signal: when a reader that is still at work is left behind */
    int64_t tick_ns;   /* when the next tick is due */
    bool stopped;      /* all threads are joined */
};

/* ---- told by other threads ---- */

static void wake(void *context)
{
    struct host *host = context;
    loop_wake(host->loop);
}

/* The lock is held. */
static bool job_has_room(const struct host *host)
{
    return host->mode == JOB_CHECKED || host->stopping ||
           host->jobs.count - host->jobs_over < STREAM_JOBS_MOST;
}

static bool claim_job_room(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    host->reader_waits = !job_has_room(host);
    return !host->reader_waits;
}

/* Waits until another job may begin. The control loop, which may have to end what is parked for
 * that, is told before. */
static void await_job_room(struct host *host)
{
    if (claim_job_room(host))
        return;
    loop_wake(host->loop);
    MUTEX_GUARD(&host->lock);
    while (!job_has_room(host))
        cond_wait(&host->job_may_begin, &host->lock);
    host->reader_waits = false;
}

/* Reader thread. */
static struct job *begin_job(void *context, const struct reader_input *input)
{
    struct host *host = context;
    struct job *job = job_create(&host->stages.chunks, NULL, input->file, host->mode);
    await_job_room(host);
    MUTEX_GUARD(&host->lock);
    if (host->stopping)
        atomic_store(&job->stop, JOB_STOPPED);
    job_list_add(&host->jobs, job);
    return job;
}

/* There may be any number of jobs that are over: only what is said of them in the end is kept. */
static void on_job_over(void *context, struct job *job)
{
    struct host *host = context;
    job_shrink(job);
    mutex_lock(&host->lock);
    host->jobs_over++;
    bool waits = host->reader_waits;
    mutex_unlock(&host->lock);
    if (waits)
        cond_signal(&host->job_may_begin);
    loop_wake(host->loop);
}

static void on_job_stops(void *context, struct job *job)
{
    struct host *host = context;
    mutex_lock(&host->lock);
    job->next_stopped = host->jobs_stopped;
    host->jobs_stopped = job;
    mutex_unlock(&host->lock);
    loop_wake(host->loop);
}

/* Loader thread. */
static void on_superseded(void *context, struct generation *generation)
{
    struct host *host = context;
    mutex_lock(&host->lock);
    size_t count = host->superseded_count + 1;
    host->superseded = memory_grow(host->superseded, count, sizeof *host->superseded);
    host->superseded[host->superseded_count++] = generation;
    mutex_unlock(&host->lock);
    loop_wake(host->loop);
}

/* Loader thread. */
static void on_published(void *context)
{
    struct host *host = context;
    stages_routes_changed(&host->stages);
    loop_wake(host->loop);
}

/* ---- the control loop ---- */

static struct job *take_stopped(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    struct job *job = host->jobs_stopped;
    if (job != NULL)
        host->jobs_stopped = job->next_stopped;
    return job;
}

static void purge_failed_fast(struct host *host)
{
    struct job *job;
    while ((job = take_stopped(host)) != NULL) {
        stages_purge(&host->stages, job);
        reader_interrupt(host->reader, job);
    }
}

static struct generation *take_superseded(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    return host->superseded_count > 0 ? host->superseded[--host->superseded_count] : NULL;
}

/* Generations go their way from being superseded to being retired, and what was parked for want of
 * a plugin is tried again. */
static void tend_generations(struct host *host)
{
    struct executor *executor = host->stages.executor;
    struct generation *generation;
    while ((generation = take_superseded(host)) != NULL)
        executor_drain(executor, generation);
    while ((generation = executor_drained(executor)) != NULL)
        registry_retire(host->registry, generation);
    while ((generation = executor_drain_is_stuck(executor)) != NULL)
        registry_pin_stuck(host->registry, generation);
    if (host->signals == 0)
        stages_unpark(&host->stages);
}

static void stop_jobs(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    host->stopping = true;
    for (struct job *job = host->jobs.first; job != NULL; job = job->next)
        atomic_store(&job->stop, JOB_STOPPED);
    cond_signal(&host->job_may_begin);
}

static void stop_starting(struct host *host, enum host_end end, int64_t now_ns)
{
    host->end = end;
    host->cancel_ns = clock_add_ns(now_ns, host->config->grace_ns);
    stop_jobs(host);
    reader_interrupt(host->reader, NULL);
    stages_close(&host->stages);
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
    host->leave_ns = clock_add_ns(host->cancel_ns, LEAVE_NS);
    if (host->handlers.stops != NULL)
        host->handlers.stops(host->handlers.context, host->cancel_ns);
}

static void reload(struct host *host)
{
    if (host->handlers.reread != NULL)
        host->handlers.reread(host->handlers.context);
    registry_reload(host->registry);
}

/* A SIGHUP of the kernel means that the terminal went away; one of a process asks for a reload. */
static void on_signal(void *context, const struct signalfd_siginfo *info)
{
    struct host *host = context;
    if (info->ssi_signo == SIGINT)
        stop(host, HOST_INTERRUPTED);
    else if (info->ssi_signo == SIGTERM || info->ssi_code == SI_KERNEL)
        stop(host, HOST_TERMINATED);
    else
        reload(host);
    loop_wake(host->loop);
}

static bool reader_is_done(struct host *host)
{
    return reader_state(host->reader) != READER_AT_WORK;
}

static bool jobs_are_over(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    return host->jobs_over == host->jobs.count;
}

static bool reader_waits(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    return host->reader_waits;
}

static bool is_over(struct host *host, int64_t now_ns)
{
    if (host->signals > 0) /* the reader's share in its jobs may never come */
        return room_watch(&host->stages.pending, 0) == 0 &&
               (reader_is_done(host) || now_ns >= host->leave_ns);
    return reader_is_done(host) && jobs_are_over(host); /* in this order: no job is begun then */
}

static int64_t earlier(int64_t one_ns, int64_t other_ns)
{
    return one_ns < other_ns ? one_ns : other_ns;
}

/* Returns when the next tick is due. */
static int64_t tick(struct host *host, int64_t now_ns)
{
    if (host->handlers.tick == NULL)
        return CLOCK_NEVER_NS;
    if (now_ns >= host->tick_ns) {
        host->handlers.tick(host->handlers.context, now_ns);
        host->tick_ns = clock_add_ns(now_ns, host->handlers.tick_ns);
    }
    return host->tick_ns;
}

/* Returns when the running calls are to be cancelled, or the reader left behind. */
static int64_t cancel_in_time(struct host *host, int64_t now_ns)
{
    if (host->cancel_ns <= now_ns) {
        executor_cancel(host->stages.executor);
        host->cancel_ns = CLOCK_NEVER_NS;
    }
    return host->signals > 0 && now_ns < host->leave_ns ? earlier(host->cancel_ns, host->leave_ns)
                                                        : host->cancel_ns;
}

static void step(struct host *host)
{
    int64_t now_ns = clock_now_ns();
    int64_t next_ns = CLOCK_NEVER_NS;
    if (host->reader == NULL)
        return;
    purge_failed_fast(host);
    tend_generations(host);
    if (host->signals == 0)
        next_ns = stages_release_delayed(&host->stages, now_ns);
    next_ns = earlier(next_ns, cancel_in_time(host, now_ns));
    next_ns = earlier(next_ns, executor_watch(host->stages.executor, now_ns));
    next_ns = earlier(next_ns, stages_heartbeat(&host->stages, now_ns));
    next_ns = earlier(next_ns, tick(host, now_ns));
    if (host->signals > 0 || reader_is_done(host) || reader_waits(host) ||
        room_is_full(&host->stages.pending))
        stages_skip_parked(&host->stages);
    loop_set_deadline(host->loop, next_ns);
    if (is_over(host, now_ns))
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

/* ---- making and running ---- */

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

static bool start_stages(struct host *host, struct error *error)
{
    struct stages_options options = {.config = host->config,
                                     .registry = host->registry,
                                     .mode = host->mode,
                                     .listener = host->handlers.context,
                                     .ended = host->handlers.ended,
                                     .wants_all = host->handlers.wants_all,
                                     .context = host,
                                     .wake = wake,
                                     .job_over = on_job_over,
                                     .job_stops = on_job_stops};
    return stages_start(&host->stages, &options, error);
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
    mutex_init(&host->lock);
    cond_init(&host->job_may_begin);
    if (create_loop(host, error) && start_stages(host, error)) {
        struct registry_hooks hooks = {
            .context = host, .superseded = on_superseded, .published = on_published};
        registry_set_hooks(registry, &hooks);
        return host;
    }
    loop_destroy(&host->loop);
    cond_fini(&host->job_may_begin);
    mutex_fini(&host->lock);
    free(host);
    return NULL;
}

bool host_stop(struct host *host)
{
    if (executor_stuck(host->stages.executor) > 0 || host_reading(host))
        return false;
    registry_set_hooks(host->registry, NULL);
    reader_stop(&host->reader);
    host->stopped =
        stages_stop(&host->stages, clock_add_ns(clock_now_ns(), host->config->grace_ns));
    return host->stopped;
}

void host_destroy(struct host **host_pointer)
{
    struct host *host = *host_pointer;
    if (host == NULL)
        return;
    assert(host->stopped);
    job_list_fini(&host->jobs);
    stages_fini(&host->stages);
    loop_destroy(&host->loop);
    cond_fini(&host->job_may_begin);
    mutex_fini(&host->lock);
    free(host->superseded);
    free(host);
    *host_pointer = NULL;
}

static struct reader *start_reader(struct host *host, struct reader_input *inputs, size_t count,
                                   struct error *error)
{
    struct reader_options options = {
        .file = {.registry = host->registry,
                 .weight_capacity = (int32_t)host->config->max_weight,
                 .default_timeout_ns = host->config->timeout_ns},
        .intake = host->stages.intake,
        .mode = host->mode,
        .inputs = inputs,
        .count = count,
        .context = host,
        .begin_job = begin_job,
        .job_over = on_job_over,
        .done = wake,
    };
    return reader_start(&options, error);
}

enum host_end host_run(struct host *host, struct reader_input *inputs, size_t count,
                       struct error *error)
{
    host->reader = start_reader(host, inputs, count, error);
    if (host->reader == NULL)
        return HOST_LOST;
    loop_wake(host->loop);
    loop_run(host->loop);
    if (host->handlers.tick != NULL)
        host->handlers.tick(host->handlers.context, clock_now_ns());
    if (host->signals == 0 && reader_state(host->reader) == READER_INVALID)
        return HOST_INVALID;
    return host->end;
}

void host_apply(struct host *host)
{
    reader_set_weight_capacity(host->reader, (int32_t)host->config->max_weight);
    stages_apply(&host->stages);
}

const struct job *host_next_job(struct host *host, const struct job *job)
{
    MUTEX_GUARD(&host->lock);
    return job == NULL ? host->jobs.first : job->next;
}

bool host_reading(const struct host *host)
{
    return host->reader != NULL && reader_state(host->reader) == READER_AT_WORK;
}

uint32_t host_running(const struct host *host)
{
    return executor_running(host->stages.executor);
}
