#include "accept/receipts.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "accept/origin.h"
#include "support/log.h"
#include "support/thread.h"

enum { STORE_BATCH = 1024 };

struct receipts {
    struct receipts_options options; /* immutable */
    struct thread thread;
    struct mutex lock;
    struct cond changed;
    /* guarded by lock */
    struct submission *told, **told_end; /* the store has answered for one of their jobs */
    struct task_list entering;           /* of those that are settled */
    size_t taken;                        /* not settled yet */
    bool stops;
};

static struct submission *of_wait(struct store_wait *wait)
{
    return (struct submission *)((char *)wait - offsetof(struct submission, wait));
}

/* ---- into the store ---- */

/* All tasks of the jobs are in the submission's list from then on. */
static void store_tasks(const struct intake *intake, struct job *job, struct task_list *tasks)
{
    struct task_list batch;
    task_list_init(&batch);
    job_keep_needs(job);
    while (job_take_tasks(job, STORE_BATCH, &batch)) {
        intake_store(intake, &batch);
        task_list_append(tasks, &batch);
    }
    intake_store_empty(intake, job);
}

/* The first one is sealed when all others are: until then nothing of it was there, see origin.h. */
static void store_jobs(const struct intake *intake, struct submission *submission)
{
    origin_write(submission);
    for (size_t i = 0; i < submission->jobs_count; i++)
        store_tasks(intake, submission->jobs[i], &submission->tasks);
    for (size_t i = submission->jobs_count; i > 0; i--)
        intake_seal(intake, submission->jobs[i - 1]);
}

static void wait_for_next_job(const struct receipts *receipts, struct submission *submission)
{
    submission->wait.job = submission->jobs[submission->jobs_durable]->store_key;
    store_when_durable(receipts->options.intake.store, &submission->wait);
}

/* ---- settling ---- */

/* One job of it is not in the store, and so none is to be; the first goes last, see origin.h. */
static void forget_jobs(const struct receipts *receipts, const struct submission *submission)
{
    struct error error;
    for (size_t i = submission->jobs_count; i > 0; i--)
        if (!store_forget_job(receipts->options.intake.store, submission->jobs[i - 1]->store_key,
                              &error))
            log_warning("a job that was refused is still in the store",
                        LOG_TEXT("job", submission->jobs[i - 1]->id),
                        LOG_TEXT("reason", error.message));
}

/* Tasks of one job stand together. */
static void count_tasks(const struct intake *intake, struct task_list *tasks)
{
    struct task_list counted, of_job;
    task_list_init(&counted);
    while (tasks->count > 0) {
        const struct job *job = tasks->head->job;
        task_list_init(&of_job);
        while (tasks->count > 0 && tasks->head->job == job)
            task_list_push(&of_job, task_list_pop(tasks));
        intake_count(intake, &of_job);
        task_list_append(&counted, &of_job);
    }
    task_list_append(tasks, &counted);
}

/* Counts it and answers it; what may enter then goes to the list. */
static void settle(struct receipts *receipts, struct submission *submission,
                   struct task_list *entering)
{
    const struct receipts_options *options = &receipts->options;
    if (submission->is_lost)
        forget_jobs(receipts, submission);
    else
        count_tasks(&options->intake, &submission->tasks);
    if (!submission->is_lost && submission->place == NULL) /* else it has no room yet */
        task_list_append(entering, &submission->tasks);
    options->settled(options->context, submission); /* and perhaps it is gone */
}

/* The receipts may be gone once this has returned, if they are to stop. */
static void count_settled(struct receipts *receipts)
{
    MUTEX_GUARD(&receipts->lock);
    receipts->taken--;
    if (receipts->stops)
        cond_signal(&receipts->changed);
}

/* The store has answered for a job: the next one's turn, or all is over. */
static void go_on(struct receipts *receipts, struct submission *submission,
                  struct task_list *entering)
{
    if (!submission->is_lost && submission->jobs_durable < submission->jobs_count) {
        wait_for_next_job(receipts, submission);
        return;
    }
    settle(receipts, submission, entering);
    count_settled(receipts);
}

/* All of it is durable. The thread is woken for the last one of a commit, and not with the lock, on
 * which it would fall asleep again. */
static void settle_now(struct receipts *receipts, struct submission *submission, bool more)
{
    struct task_list entering;
    task_list_init(&entering);
    settle(receipts, submission, &entering);
    mutex_lock(&receipts->lock);
    task_list_append(&receipts->entering, &entering);
    mutex_unlock(&receipts->lock);
    if (!more)
        cond_signal(&receipts->changed);
    count_settled(receipts);
}

static void settle_later(struct receipts *receipts, struct submission *submission)
{
    MUTEX_GUARD(&receipts->lock);
    submission->next = NULL;
    *receipts->told_end = submission;
    receipts->told_end = &submission->next;
    cond_signal(&receipts->changed);
}

/* A job without tasks would be over as soon as it is settled. */
static bool is_plain(const struct submission *submission)
{
    bool have_tasks = true;
    for (size_t i = 0; i < submission->jobs_count; i++)
        have_tasks = have_tasks && submission->jobs[i]->tasks_count > 0;
    return have_tasks && submission->place == NULL &&
           submission->jobs_durable == submission->jobs_count;
}

/* On a thread of the store's, which is not to wait. */
static void on_told(struct store_wait *wait, const struct store_told *told)
{
    struct submission *submission = of_wait(wait);
    struct receipts *receipts = wait->context;
    submission->is_lost = !told->is_durable;
    if (submission->is_lost)
        snprintf(submission->refusal, sizeof submission->refusal, "%.*s",
                 (int)sizeof submission->refusal - 1, told->reason);
    else
        submission->jobs_durable++;
    if (is_plain(submission))
        settle_now(receipts, submission, told->more);
    else
        settle_later(receipts, submission);
}

void receipts_take(struct receipts *receipts, struct submission *submission)
{
    const struct intake *intake = &receipts->options.intake;
    assert(submission->jobs_count > 0);
    mutex_lock(&receipts->lock);
    receipts->taken++;
    mutex_unlock(&receipts->lock);
    task_list_init(&submission->tasks);
    store_jobs(intake, submission);
    submission->wait.done = on_told;
    submission->wait.context = receipts;
    wait_for_next_job(receipts, submission);
}

/* Takes what there is to do; false if nothing will come any more. */
static bool wait_for_work(struct receipts *receipts, struct submission **told,
                          struct task_list *entering)
{
    MUTEX_GUARD(&receipts->lock);
    while (receipts->told == NULL && receipts->entering.count == 0) {
        if (receipts->stops && receipts->taken == 0)
            return false;
        cond_wait(&receipts->changed, &receipts->lock);
    }
    *told = receipts->told;
    receipts->told = NULL;
    receipts->told_end = &receipts->told;
    task_list_append(entering, &receipts->entering);
    return true;
}

static void receipts_run(void *argument)
{
    struct receipts *receipts = argument;
    struct task_list entering;
    task_list_init(&entering);
    for (struct submission *told; wait_for_work(receipts, &told, &entering);) {
        for (struct submission *next; told != NULL; told = next) {
            next = told->next;
            go_on(receipts, told, &entering);
        }
        intake_enter(&receipts->options.intake, &entering);
    }
}

/* ---- making ---- */

static void receipts_free(struct receipts **receipts)
{
    cond_fini(&(*receipts)->changed);
    mutex_fini(&(*receipts)->lock);
    free(*receipts);
    *receipts = NULL;
}

struct receipts *receipts_start(const struct receipts_options *options, struct error *error)
{
    struct receipts *receipts = calloc(1, sizeof *receipts);
    if (receipts == NULL)
        abort();
    receipts->options = *options;
    receipts->told_end = &receipts->told;
    task_list_init(&receipts->entering);
    mutex_init(&receipts->lock);
    cond_init(&receipts->changed);
    if (!thread_start(&receipts->thread, "receipts", receipts_run, receipts, error))
        receipts_free(&receipts);
    return receipts;
}

void receipts_stop(struct receipts **receipts)
{
    if (*receipts == NULL)
        return;
    mutex_lock(&(*receipts)->lock);
    (*receipts)->stops = true;
    mutex_unlock(&(*receipts)->lock);
    cond_signal(&(*receipts)->changed);
    thread_join(&(*receipts)->thread);
    receipts_free(receipts);
}
