/* What is asked to end while the control loop is at something else is seen to at once: a walk over
 * all that waits costs milliseconds where much does, and clients ask task by task. */
#include <stdlib.h>

#include "host_internal.h"

struct cancel {
    struct cancel *next;
    struct job *job;   /* held */
    struct task *task; /* NULL: all of the job */
};

static struct cancel *take_cancels(struct host *host)
{
    MUTEX_GUARD(&host->lock);
    struct cancel *asked = host->served.cancelling.asked;
    host->served.cancelling.asked = NULL;
    return asked;
}

/* NULL: they are of several. */
static const struct job *job_of_all(const struct cancel *asked)
{
    const struct job *job = asked != NULL ? asked->job : NULL;
    for (const struct cancel *one = asked; one != NULL; one = one->next)
        if (one->job != job)
            return NULL;
    return job;
}

/* What waits for others that go on is in nobody's list. */
static void cancel_waiting(struct stages *stages, const struct cancel *asked)
{
    struct task_list taken;
    task_list_init(&taken);
    if (asked->task == NULL)
        job_take_all_waiting(asked->job, &taken);
    else if (job_take_waiting(asked->task))
        task_list_push(&taken, asked->task);
    stages_end_waiting(stages, &taken);
}

static void cancel_calls(const struct stages *stages, const struct cancel *asked)
{
    if (asked->task != NULL)
        executor_cancel_task(stages->executor, asked->task);
    else
        executor_cancel_job(stages->executor, asked->job);
}

static void forget_cancels(struct cancel *asked)
{
    for (struct cancel *next; asked != NULL; asked = next) {
        next = asked->next;
        job_let_go(asked->job);
        free(asked);
    }
}

/* Main thread. */
static void cancel(struct loop_call *call)
{
    struct host *host = ((struct host_cancelling *)call)->host;
    struct cancel *asked = take_cancels(host);
    stages_purge(&host->stages, job_of_all(asked));
    for (const struct cancel *one = asked; one != NULL; one = one->next) {
        cancel_waiting(&host->stages, one);
        cancel_calls(&host->stages, one);
    }
    forget_cancels(asked);
    loop_wake(host->loop); /* who was asked to end is watched from now on */
}

/* Returns whether it is the first. */
static bool add_cancel(struct host *host, struct cancel *asked)
{
    MUTEX_GUARD(&host->lock);
    asked->next = host->served.cancelling.asked;
    host->served.cancelling.asked = asked;
    return asked->next == NULL;
}

static void ask_cancel(struct host *host, struct job *job, struct task *task)
{
    struct cancel *asked = malloc(sizeof *asked);
    if (asked == NULL)
        abort();
    *asked = (struct cancel){.job = job, .task = task};
    job_hold(job);
    if (add_cancel(host, asked) && !host_call(host, &host->served.cancelling.call))
        forget_cancels(take_cancels(host)); /* the host ends, and everything with it */
}

void host_cancel_init(struct host *host)
{
    host->served.cancelling = (struct host_cancelling){.call.run = cancel, .host = host};
}

static void cancel_job(struct host *host, struct job *job)
{
    int goes_on = JOB_GOES_ON, failed_fast = JOB_FAILED_FAST;
    if (!atomic_compare_exchange_strong(&job->stop, &goes_on, JOB_CANCELLED))
        atomic_compare_exchange_strong(&job->stop, &failed_fast, JOB_CANCELLED);
    ask_cancel(host, job, NULL);
}

enum host_cancelled host_cancel_job(struct host *host, const char *id, struct error *error)
{
    struct job **jobs;
    struct store *store = host->stages.store;
    size_t count = job_table_find_all(host->served.table, id, &jobs);
    uint64_t key = count > 0 ? jobs[0]->store_key : 0;
    for (size_t i = 0; i < count; i++) { /* a store may have its caller wait for a full disk */
        cancel_job(host, jobs[i]);
        job_let_go(jobs[i]);
    }
    free(jobs);
    if (count == 0)
        return HOST_HAS_NO_SUCH_JOB;
    return store_stop_job(store, key, error) && store_commit(store, error) ? HOST_CANCELS
                                                                           : HOST_CANCELS_UNWRITTEN;
}

void host_cancel_task(struct host *host, struct job *job, struct task *task)
{
    atomic_store(&task->cancelled, true);
    ask_cancel(host, job, task);
}
