/* A host that goes on: jobs come by submission, and are there until they are over and nobody looks
 * at them any more. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"
#include "support/log.h"

/* How often jobs that are over are looked at: a wake-up for each of them would cost as much as a
 * small task. */
#define SWEEP_NS (10 * NS_PER_MS)
#define PRUNE_NS (60 * NS_PER_S)

static void on_job_over(void *context, struct job *job)
{
    struct host *host = context;
    if (host->handlers.job_over != NULL && !job_is_left(job))
        host->handlers.job_over(host->handlers.context, job);
    if (job_table_over(host->served.table, job))
        loop_wake(host->loop);
}

static void job_over(struct host *host, struct job *job)
{
    on_job_over(host, job);
}

static void job_stopped(struct host *host, struct job *job)
{
    (void)host;
    (void)job;
}

static void stop(struct host *host)
{
    submissions_close(host->served.submissions);
    job_table_stop(host->served.table);
}

static enum submissions_overflow overflow_of(const struct config *config)
{
    switch (config->overflow) {
    case OVERFLOW_BLOCK:
        return SUBMISSIONS_WAIT;
    case OVERFLOW_REJECT:
        return SUBMISSIONS_REFUSE;
    case OVERFLOW_DELAY:
        return SUBMISSIONS_STORE;
    }
    return SUBMISSIONS_REFUSE;
}

static void apply(struct host *host)
{
    submissions_set_limits(host->served.submissions, (int32_t)host->config->max_weight,
                           overflow_of(host->config));
    store_set_finished_max(host->stages.store, (uint64_t)host->config->keep_finished_max);
    host->served.pruned_ns = clock_now_ns() - PRUNE_NS; /* what is kept may be too old now */
}

/* What is kept of ended tasks is bounded in number by the store itself, in age here. */
static void prune(struct host *host, int64_t now_ns)
{
    struct error error;
    uint64_t count = 0;
    int64_t keep_ns = host->config->keep_finished_ns;
    if (now_ns - host->served.pruned_ns < PRUNE_NS)
        return;
    host->served.pruned_ns = now_ns;
    if (!store_prune(host->stages.store, clock_wall_ns() - keep_ns, &count, &error))
        log_warning("what is too old could not be forgotten", LOG_TEXT("reason", error.message));
}

/* Returns when it wants to be called again. */
static int64_t sweep(struct host *host, int64_t now_ns)
{
    struct host_served *served = &host->served;
    if (!job_table_waits(served->table))
        return CLOCK_NEVER_NS;
    if (now_ns < served->sweep_ns)
        return served->sweep_ns;
    served->sweep_ns = now_ns + SWEEP_NS;
    return job_table_sweep(served->table) > 0 ? served->sweep_ns : CLOCK_NEVER_NS;
}

/* Its thread and what it holds are lost until the process ends. */
static void restart_if_stuck(struct host *host)
{
    if (host->signals > 0 || host->config->on_stuck != STUCK_RESTART ||
        executor_stuck(host->stages.executor) == 0)
        return;
    log_warning("a call does not return: the host is started again ([host] on_stuck)",
                LOG_NUMBER("stuck", executor_stuck(host->stages.executor)));
    host_stop_starting(host, HOST_RESTARTS);
}

static int64_t tend(struct host *host, int64_t now_ns)
{
    isolation_tend(host->isolation);
    restart_if_stuck(host);
    prune(host, now_ns);
    return sweep(host, now_ns);
}

static bool gives_up_parked(struct host *host)
{
    (void)host;
    return false; /* a plugin or a group may come */
}

/* The last task has ended a little before it is said that its job is over: who listens is to hear
 * of both. */
static bool is_over(struct host *host, int64_t now_ns)
{
    (void)now_ns;
    return host->signals > 0 && room_watch(&host->stages.pending, 0) == 0 &&
           job_table_count(host->served.table) == 0;
}

/* Those that ended last run again when the daemon is started again. */
static void lost(struct host *host, const struct error *error)
{
    (void)host;
    log_error("what ended last could not be written down, and will run again",
              LOG_TEXT("reason", error->message));
}

static const struct host_source sent = {.lost = lost,
                                        .tend = tend,
                                        .apply = apply,
                                        .stop = stop,
                                        .is_over = is_over,
                                        .job_over = job_over,
                                        .job_stopped = job_stopped,
                                        .gives_up_parked = gives_up_parked};

/* ---- submissions ---- */

static enum submission_answer reserve(void *context, struct submission *submission)
{
    struct host *host = context;
    struct stages_places places = {.jobs = submission->jobs,
                                   .jobs_count = submission->jobs_count,
                                   .turn = {submission->ticket, submission->round},
                                   .refusal = submission->refusal,
                                   .refusal_bytes = sizeof submission->refusal};
    switch (stages_reserve(&host->stages, &places)) {
    case STAGES_HAVE_ROOM:
        return SUBMISSION_ADMITTED;
    case STAGES_ARE_FULL:
        return SUBMISSION_QUEUE_FULL;
    case STAGES_TOO_SMALL:
        return SUBMISSION_TOO_MANY;
    }
    return SUBMISSION_QUEUE_FULL;
}

static void give_back(void *context, struct submission *submission)
{
    struct host *host = context;
    stages_give_back(&host->stages, &submission->tasks);
}

static void isolate(void *context, const struct type *type)
{
    struct host *host = context;
    executor_isolate(host->stages.executor, type);
}

static void release(void *context, const struct type *type)
{
    struct host *host = context;
    executor_unisolate(host->stages.executor, type);
}

static void wake(void *context)
{
    struct host *host = context;
    loop_wake(host->loop);
}

static struct isolation *create_isolation(struct host *host)
{
    const struct isolation_options options = {.registry = host->registry,
                                              .path = host->handlers.isolated_path,
                                              .context = host,
                                              .isolate = isolate,
                                              .release = release,
                                              .wake = wake};
    return isolation_create(&options);
}

bool host_isolates(struct host *host, const char *type, struct isolation_facts *facts)
{
    return isolation_find(host->isolation, type, facts);
}

bool host_open(struct host *host, struct error *error)
{
    assert(host->mode == JOB_CHECKED);
    struct host_served *served = &host->served;
    host_cancel_init(host);
    served->table = job_table_create();
    served->now.last = &served->now.first;
    served->next.last = &served->next.first;
    served->pruned_ns = clock_now_ns();
    const struct submissions_options options = {
        .registry = host->registry,
        .chunks = &host->stages.chunks,
        .intake = host->stages.intake,
        .table = served->table,
        .weight_capacity = (int32_t)host->config->max_weight,
        .default_timeout_ns = host->config->timeout_ns,
        .overflow = overflow_of(host->config),
        .context = host,
        .reserve = reserve,
        .give_back = give_back,
        .job_over = on_job_over,
    };
    served->submissions = submissions_start(&options, error);
    if (served->submissions == NULL)
        return false;
    host->isolation = create_isolation(host);
    host->source = &sent;
    return host_recover(host, error);
}

void host_submit(struct host *host, struct submission *submission)
{
    submissions_take(host->served.submissions, submission);
}

void host_admit(struct host *host, struct gathering *gathering)
{
    submissions_admit(host->served.submissions, gathering);
}

void host_enter(struct host *host, struct gathering *gathering)
{
    submissions_enter(host->served.submissions, gathering);
}

uint64_t host_refused(struct host *host, enum submission_answer answer)
{
    return submissions_refused(host->served.submissions, answer);
}

uint64_t host_delayed(struct host *host)
{
    return submissions_delayed(host->served.submissions);
}

uint64_t host_aside_tasks(struct host *host)
{
    return submissions_aside_tasks(host->served.submissions);
}

size_t host_jobs(struct host *host)
{
    return job_table_count(host->served.table);
}

struct job *host_find_job(struct host *host, const char *id)
{
    return job_table_find(host->served.table, id);
}

bool host_serves(const struct host *host)
{
    return host->source == &sent;
}

/* ---- the rest ---- */

enum host_end host_serve(struct host *host)
{
    host_loop(host);
    loop_end_calls(host->loop);
    host_give_up_reloads(host);
    return host->end;
}

bool host_call(struct host *host, struct loop_call *call)
{
    return loop_call(host->loop, call);
}

void host_ask_stop(struct host *host)
{
    host_stop_starting(host, HOST_FINISHED);
}

struct stages *host_stages(struct host *host)
{
    return &host->stages;
}

void host_serve_join(struct host *host)
{
    submissions_stop(&host->served.submissions);
}

/* Nobody is left who could hold a job. */
void host_serve_fini(struct host *host)
{
    job_table_destroy(&host->served.table);
    isolation_destroy(&host->isolation);
}
