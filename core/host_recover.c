/* What an earlier host has left in the store is taken up again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_restore.h"
#include "accept/origin.h"
#include "host_internal.h"
#include "support/cleanup.h"
#include "support/log.h"
#include "support/memory.h"

enum { ENTER_BATCH = 1024 };

/* Jobs by their ids. */
struct found {
    char (*unfinished)[JOB_ID_BYTES];
    size_t unfinished_count, capacity;
    struct unacknowledged { /* they were on their way into the store */
        uint64_t key;
        char id[JOB_ID_BYTES];
    } * unacknowledged;
    size_t unacknowledged_count;
};

struct recovery {
    struct host *host;
    struct job_restore_sources sources;
    struct job **jobs; /* that are to enter */
    uint64_t jobs_count, tasks;
};

static void found_fini(struct found *found)
{
    free(found->unfinished);
    free(found->unacknowledged);
}

static void note_unfinished(struct found *found, const char *id)
{
    if (found->unfinished_count == found->capacity) {
        found->capacity = found->capacity > 0 ? 2 * found->capacity : 64;
        found->unfinished =
            memory_grow(found->unfinished, found->capacity, sizeof *found->unfinished);
    }
    snprintf(found->unfinished[found->unfinished_count++], JOB_ID_BYTES, "%s", id);
}

static void note_unacknowledged(struct found *found, const struct store_job *job)
{
    size_t count = found->unacknowledged_count + 1;
    found->unacknowledged =
        memory_grow(found->unacknowledged, count, sizeof *found->unacknowledged);
    struct unacknowledged *one = &found->unacknowledged[found->unacknowledged_count++];
    one->key = job->key;
    snprintf(one->id, JOB_ID_BYTES, "%s", job->given.id);
}

/* Jobs that came together are there when the first of them is, which stands before the others. */
static bool is_acknowledged(const struct found *found, const struct store_job *job)
{
    struct origin origin;
    if (!job->sealed || found->unacknowledged_count == 0 ||
        !origin_read(job->given.origin, &origin))
        return job->sealed;
    for (size_t i = 0; i < found->unacknowledged_count; i++)
        if (strcmp(found->unacknowledged[i].id, origin.first) == 0)
            return false;
    return true;
}

static bool note_job(void *context, const struct store_job *job)
{
    struct found *found = context;
    if (!is_acknowledged(found, job))
        note_unacknowledged(found, job);
    else if (job->by_state[STORE_UNFINISHED] > 0)
        note_unfinished(found, job->given.id);
    return true;
}

static void enter(struct host *host, struct job *job)
{
    struct task_list batch;
    task_list_init(&batch);
    job_count_submitted(job, job->tasks_count);
    while (job_take_tasks(job, ENTER_BATCH, &batch))
        intake_enter(&host->stages.intake, &batch);
    if (job_count_ended(job, TASK_ACCEPTED, 1))
        host->source->job_over(host, job);
}

static bool recover_job(struct recovery *recovery, const char *id, struct error *error)
{
    struct host *host = recovery->host;
    uint32_t damaged;
    struct job *job = job_restore(&recovery->sources, id, &damaged, error);
    if (job == NULL)
        return false;
    if (damaged > 0)
        log_error("tasks of a job cannot be taken up again, their records are damaged: see "
                  "`sluice fsck'",
                  LOG_TEXT("job", id), LOG_NUMBER("tasks", damaged));
    if (!job_table_add(host->served.table, job, NULL)) {
        job_destroy(&job);
        return error_set(error, "store_damaged",
                         "there are two jobs '%s' in the store, it is damaged: see `sluice fsck'",
                         id);
    }
    recovery->jobs[recovery->jobs_count++] = job;
    recovery->tasks += job->tasks_count;
    return true;
}

/* Nobody was told that they were taken. The first of those that came together goes last: if this
 * host dies meanwhile, the next one still finds that the others were not. */
static bool forget_unacknowledged(const struct recovery *recovery, const struct found *found,
                                  struct error *error)
{
    for (size_t i = found->unacknowledged_count; i > 0; i--)
        if (!store_forget_job(recovery->sources.store, found->unacknowledged[i - 1].key, error))
            return false;
    return true;
}

static void recovery_fini(struct recovery *recovery)
{
    free(recovery->jobs);
}

/* Which keys are held is known when all of them are there. */
static bool recover_jobs(struct recovery *recovery, const struct found *found, struct error *error)
{
    recovery->jobs = memory_grow(NULL, found->unfinished_count + 1, sizeof(struct job *));
    for (size_t i = 0; i < found->unfinished_count; i++)
        if (!recover_job(recovery, found->unfinished[i], error))
            return false;
    return host_sift_claims(recovery->host, error);
}

/* In the order in which they came; what has no room waits for it, and all that came later does. */
static void enter_jobs(const struct recovery *recovery)
{
    struct host *host = recovery->host;
    size_t i = 0;
    while (i < recovery->jobs_count &&
           room_reserve(&host->stages.pending, recovery->jobs[i]->tasks_count))
        enter(host, recovery->jobs[i++]);
    for (; i < recovery->jobs_count; i++)
        submissions_take_up(host->served.submissions, recovery->jobs[i]);
}

bool host_recover(struct host *host, struct error *error)
{
    CLEANUP(found_fini) struct found found = {0};
    CLEANUP(recovery_fini)
    struct recovery recovery = {.host = host,
                                .sources = {.store = host->stages.store,
                                            .pool = &host->stages.chunks,
                                            .registry = host->registry,
                                            .context = host->isolation,
                                            .claims = isolation_claims}};
    if (!store_visit_jobs(host->stages.store, note_job, &found, error) ||
        !forget_unacknowledged(&recovery, &found, error) || !host_flight_recover(host, error) ||
        !recover_jobs(&recovery, &found, error))
        return false;
    enter_jobs(&recovery);
    if (recovery.jobs_count > 0)
        log_info("taken up again", LOG_NUMBER("jobs", recovery.jobs_count),
                 LOG_NUMBER("tasks", recovery.tasks));
    return true;
}
