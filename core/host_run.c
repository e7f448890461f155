/* A host that runs job files and ends. */
#include "accept/past.h"
#include "accept/reader.h"
#include "host_internal.h"

/* Of a stream, not yet over: each holds some 20 KB, however small it is. */
enum { STREAM_JOBS_MOST = 1024 };

static void wake(void *context)
{
    struct host *host = context;
    loop_wake(host->loop);
}

/* The lock is held. */
static bool job_has_room(const struct host *host)
{
    return host->mode == JOB_CHECKED || host->run.stopping ||
           host->run.begun.count - host->run.over < STREAM_JOBS_MOST;
}

static bool claim_job_room(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    host->run.waits = !job_has_room(host);
    return !host->run.waits;
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
        cond_wait(&host->run.may_begin, &host->lock);
    host->run.waits = false;
}

/* The first loss is the one that is told. */
static void lose(struct host *host, const struct error *error)
{
    mutex_lock(&host->lock);
    if (host->run.loss.message[0] == '\0')
        host->run.loss = *error;
    mutex_unlock(&host->lock);
    loop_wake(host->loop);
}

static void load_past(struct host *host, struct job *job)
{
    struct error error;
    const struct past_job *first;
    if (host->run.past_jobs == NULL)
        return;
    size_t count = past_jobs_find(host->run.past_jobs, job->file, job->document, &first);
    job->past = past_load(host->stages.store, first, count, &error);
    if (job->past == NULL)
        lose(host, &error);
}

/* Reader thread. */
static void was_read(void *context, const struct job *job, struct diagnostics *diagnostics)
{
    const struct host *host = context;
    if (job->past != NULL && host->handlers.resume == HOST_RESUMES)
        past_compare(job->past, job, diagnostics);
}

/* What the job's file left in the store before is not needed any more once the job stands for it in
 * full: with all its tasks, and the ends of those that had ended. The store keeps the order. */
static void forget_past(struct host *host, const struct job *job)
{
    struct error error;
    if (job->past == NULL || job->store_key == 0 || atomic_load(&job->stop) == JOB_STOPPED)
        return;
    if (!past_forget(job->past, host->stages.store, &error))
        lose(host, &error);
}

/* Reader thread. Some that had ended wait for others that are new: then the job has to be over. */
static void is_sealed(void *context, struct job *job)
{
    if (atomic_load(&job->recalled) == job->past_count)
        forget_past(context, job);
}

/* Reader thread. */
static struct job *begin_job(void *context, const struct reader_input *input)
{
    struct host *host = context;
    struct job *job = job_create(&host->stages.chunks, NULL, input->file, host->mode);
    job->document = (uint32_t)input->jobs_count;
    load_past(host, job);
    await_job_room(host);
    MUTEX_GUARD(&host->lock);
    if (host->run.stopping)
        atomic_store(&job->stop, JOB_STOPPED);
    job_list_add(&host->run.begun, job);
    return job;
}

/* There may be any number of jobs that are over: only what is said of them in the end is kept. */
static void job_over(struct host *host, struct job *job)
{
    forget_past(host, job);
    job_shrink(job);
    mutex_lock(&host->lock);
    host->run.over++;
    bool waits = host->run.waits;
    mutex_unlock(&host->lock);
    if (waits)
        cond_signal(&host->run.may_begin);
    loop_wake(host->loop);
}

static bool reader_is_done(struct host *host)
{
    return reader_state(host->run.reader) != READER_AT_WORK;
}

static bool jobs_are_over(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    return host->run.over == host->run.begun.count;
}

static bool reader_waits(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    return host->run.waits;
}

static bool is_over(struct host *host, int64_t now_ns)
{
    if (host->signals > 0) /* the reader's share in its jobs may never come */
        return room_watch(&host->stages.pending, 0) == 0 &&
               (reader_is_done(host) || now_ns >= host->leave_ns);
    return reader_is_done(host) && jobs_are_over(host); /* in this order: no job is begun then */
}

static void job_stopped(struct host *host, struct job *job)
{
    reader_interrupt(host->run.reader, job);
}

static void stop(struct host *host)
{
    mutex_lock(&host->lock);
    host->run.stopping = true;
    for (struct job *job = host->run.begun.first; job != NULL; job = job->next)
        atomic_store(&job->stop, JOB_STOPPED);
    cond_signal(&host->run.may_begin);
    mutex_unlock(&host->lock);
    reader_interrupt(host->run.reader, NULL);
}

static void apply(struct host *host)
{
    reader_set_weight_capacity(host->run.reader, (int32_t)host->config->max_weight);
}

static bool has_lost(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    return host->run.loss.message[0] != '\0';
}

static int64_t tend(struct host *host, int64_t now_ns)
{
    (void)now_ns;
    if (host->signals == 0 && has_lost(host))
        host_stop_starting(host, HOST_LOST);
    return CLOCK_NEVER_NS;
}

static bool gives_up_parked(struct host *host)
{
    return reader_is_done(host) || reader_waits(host) || room_is_full(&host->stages.pending);
}

static void lost(struct host *host, const struct error *error)
{
    lose(host, error);
    host->end = HOST_LOST;
}

static const struct host_source files = {.lost = lost,
                                         .job_over = job_over,
                                         .job_stopped = job_stopped,
                                         .stop = stop,
                                         .apply = apply,
                                         .tend = tend,
                                         .gives_up_parked = gives_up_parked,
                                         .is_over = is_over};

static void on_job_over(void *context, struct job *job)
{
    job_over(context, job);
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
        .was_read = was_read,
        .is_sealed = is_sealed,
        .job_over = on_job_over,
        .done = wake,
    };
    return reader_start(&options, error);
}

/* What an earlier run has left. */
static bool read_past(struct host *host, struct error *error)
{
    if (host->handlers.resume != HOST_BEGINS_ANEW)
        host->run.past_jobs = past_jobs_read(host->stages.store, error);
    return (host->handlers.resume == HOST_BEGINS_ANEW || host->run.past_jobs != NULL) &&
           host_sift_claims(host, error);
}

enum host_end host_run(struct host *host, struct reader_input *inputs, size_t count,
                       struct error *error)
{
    host->source = &files;
    if (!read_past(host, error))
        return HOST_LOST;
    host->run.reader = start_reader(host, inputs, count, error);
    if (host->run.reader == NULL)
        return HOST_LOST;
    host_loop(host);
    if (host->signals == 0 && reader_state(host->run.reader) == READER_INVALID)
        return HOST_INVALID;
    if (host->end == HOST_LOST)
        *error = host->run.loss;
    return host->end;
}

const struct job *host_next_job(struct host *host, const struct job *job)
{
    MUTEX_GUARD(&host->lock);
    return job == NULL ? host->run.begun.first : job->next;
}

bool host_reading(const struct host *host)
{
    return host->run.reader != NULL && reader_state(host->run.reader) == READER_AT_WORK;
}

void host_run_join(struct host *host)
{
    reader_stop(&host->run.reader);
}

void host_run_fini(struct host *host)
{
    job_list_fini(&host->run.begun);
    past_jobs_destroy(&host->run.past_jobs);
}
