#include "host.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "execute/executor.h"
#include "host_internal.h"
#include "support/log.h"
#include "support/memory.h"

/* ---- told by other threads ---- */

static void wake(void *context)
{
    struct host *host = context;
    loop_wake(host->loop);
}

static void on_job_over(void *context, struct job *job)
{
    struct host *host = context;
    host->source->job_over(host, job);
}

/* One of its tasks is still in hand, so the job is there; from then on it is held. */
static void on_job_stops(void *context, struct job *job)
{
    struct host *host = context;
    job_hold(job);
    mutex_lock(&host->lock);
    job->next_stopped = host->jobs_stopped;
    host->jobs_stopped = job;
    mutex_unlock(&host->lock);
    loop_wake(host->loop);
}

static void on_suspect(void *context, const struct task *task, const struct attempt *crash)
{
    struct host *host = context;
    if (host->isolation == NULL) /* in a run nobody is */
        return;
    if (crash != NULL)
        isolation_crashed(host->isolation, task, crash);
    else
        isolation_ended(host->isolation, task);
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
        host->source->job_stopped(host, job);
        job_let_go(job);
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

static void stop_starting(struct host *host, enum host_end end, int64_t now_ns)
{
    host->end = end;
    host->cancel_ns = clock_add_ns(now_ns, host->config->grace_ns);
    host->source->stop(host);
    stages_close(&host->stages);
}

enum host_end host_ends(const struct host *host)
{
    return host->end;
}

void host_stop_starting(struct host *host, enum host_end end)
{
    int64_t now_ns = clock_now_ns();
    if (host->signals++ == 0) {
        log_info("stopping: running tasks may finish in the grace period, another signal cancels",
                 LOG_NUMBER("running", host_running(host)));
        stop_starting(host, end, now_ns);
    } else {
        host->cancel_ns = now_ns;
    }
    host->leave_ns = clock_add_ns(host->cancel_ns, HOST_LEAVE_NS);
    if (host->handlers.stops != NULL)
        host->handlers.stops(host->handlers.context, host->cancel_ns);
}

/* What the terminal or a service manager sends to all processes of a daemon comes once more from
 * the monitor, which hands on what it gets: it is one request. */
static bool is_known(struct host *host, uint32_t sender)
{
    bool is_monitor = host->handlers.monitor != 0 && (int)sender == host->handlers.monitor;
    return ++host->stop_signals[is_monitor] <= host->stop_signals[!is_monitor];
}

/* A SIGHUP of the kernel means that the terminal went away; one of a process asks for a reload. */
static void on_signal(void *context, const struct signalfd_siginfo *info)
{
    struct host *host = context;
    bool reloads = info->ssi_signo == SIGHUP && info->ssi_code != SI_KERNEL;
    if (reloads)
        host_reload(host, NULL);
    else if (!is_known(host, info->ssi_pid))
        host_stop_starting(host, info->ssi_signo == SIGINT ? HOST_INTERRUPTED : HOST_TERMINATED);
    loop_wake(host->loop);
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
    if (now_ns >= clock_add_ns(host->ticked_ns, host->handlers.tick_ns)) {
        host->handlers.tick(host->handlers.context, now_ns);
        host->ticked_ns = now_ns;
    }
    return clock_add_ns(host->ticked_ns, host->handlers.tick_ns);
}

/* Returns when the running calls are to be cancelled, or the reader left behind. */
static int64_t cancel_in_time(struct host *host, int64_t now_ns)
{
    if (host->cancel_ns <= now_ns) {
        executor_cancel(host->stages.executor);
        store_wait_no_more(host->stages.store);
        host->cancel_ns = CLOCK_NEVER_NS;
    }
    return host->signals > 0 && now_ns < host->leave_ns ? earlier(host->cancel_ns, host->leave_ns)
                                                        : host->cancel_ns;
}

static void step(struct host *host)
{
    int64_t now_ns = clock_now_ns();
    int64_t next_ns = CLOCK_NEVER_NS;
    if (host->source == NULL)
        return;
    purge_failed_fast(host);
    tend_generations(host);
    if (host->signals == 0)
        next_ns = stages_release_delayed(&host->stages, now_ns);
    next_ns = earlier(next_ns, cancel_in_time(host, now_ns));
    next_ns = earlier(next_ns, executor_watch(host->stages.executor, now_ns));
    next_ns = earlier(next_ns, stages_heartbeat(&host->stages, now_ns));
    next_ns = earlier(next_ns, tick(host, now_ns));
    next_ns = earlier(next_ns, host->source->tend(host, now_ns));
    if (host->signals > 0 || host->source->gives_up_parked(host))
        stages_skip_parked(&host->stages);
    loop_set_deadline(host->loop, next_ns);
    if (host->source->is_over(host, now_ns))
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
                                     .measures_cpu = host->handlers.measures_cpu,
                                     .store_backend = host->handlers.store_backend != NULL
                                                          ? host->handlers.store_backend
                                                          : "memory",
                                     .store = host->handlers.store,
                                     .flight_path = host->handlers.flight_path,
                                     .context = host,
                                     .wake = wake,
                                     .job_over = on_job_over,
                                     .job_stops = on_job_stops,
                                     .suspect = on_suspect};
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
    cond_init(&host->run.may_begin);
    if (create_loop(host, error) && start_stages(host, error)) {
        struct registry_hooks hooks = {
            .context = host,
            .superseded = on_superseded,
            .published = on_published,
            .reloaded = host_reloaded,
        };
        registry_set_hooks(registry, &hooks);
        return host;
    }
    loop_destroy(&host->loop);
    cond_fini(&host->run.may_begin);
    mutex_fini(&host->lock);
    free(host);
    return NULL;
}

/* Who may not destroy the host leaves with a store that nobody closes; else that says itself what
 * it could not write. */
static void write_the_rest(struct host *host)
{
    struct error error;
    if (!store_commit(host->stages.store, &error) && !host->stopped)
        log_error("not all that has ended could be written", LOG_TEXT("reason", error.message));
}

static bool join_all(struct host *host)
{
    if (executor_stuck(host->stages.executor) > 0 || host_reading(host))
        return false;
    registry_set_hooks(host->registry, NULL);
    host_run_join(host);
    host_serve_join(host);
    return stages_stop(&host->stages, clock_add_ns(clock_now_ns(), host->config->grace_ns));
}

bool host_stop(struct host *host)
{
    if (host->stopped)
        return true;
    host->stopped = join_all(host);
    write_the_rest(host);
    return host->stopped;
}

void host_destroy(struct host **host_pointer)
{
    struct host *host = *host_pointer;
    if (host == NULL)
        return;
    assert(host->stopped);
    host_run_fini(host);
    host_serve_fini(host);
    stages_fini(&host->stages);
    loop_destroy(&host->loop);
    cond_fini(&host->run.may_begin);
    mutex_fini(&host->lock);
    free(host->superseded);
    free(host);
    *host_pointer = NULL;
}

void host_loop(struct host *host)
{
    loop_wake(host->loop);
    loop_run(host->loop);
    purge_failed_fast(host); /* one may have done so while the last step was at its work */
    if (host->handlers.tick != NULL)
        host->handlers.tick(host->handlers.context, clock_now_ns());
    struct error error;
    if (!store_commit(host->stages.store, &error))
        host->source->lost(host, &error);
}

void host_apply(struct host *host, int64_t tick_ns)
{
    host->handlers.tick_ns = tick_ns;
    host->source->apply(host);
    stages_apply(&host->stages);
}

uint32_t host_running(const struct host *host)
{
    return executor_running(host->stages.executor);
}

int host_monitor(const struct host *host)
{
    return host->handlers.monitor;
}
