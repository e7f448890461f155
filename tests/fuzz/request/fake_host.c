/* A host that reads what is submitted at once and runs none of it; it has the job of fake_job.h and
 * one group, `a`. Links in place of host*.c, stages.c and what there is of router, group and
 * executor. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch/admission.h"
#include "dispatch/router.h"
#include "dispatch/scheduler.h"
#include "execute/executor.h"
#include "execute/group.h"
#include "fake_job.h"
#include "host.h"
#include "serve/api/internal.h"
#include "stages.h"
#include "support/clock.h"

enum { WEIGHT_CAPACITY = 100 };

static struct stages stages;
static int group; /* stands for the only one */
static struct job *the_job;

struct stages *host_stages(struct host *host)
{
    (void)host;
    if (stages.store != NULL)
        return &stages;
    static const struct store_options options = {
        .dead_max = 10, .finished_max = 10, .log_max_bytes = 4, .describe = task_describe};
    struct error error;
    chunk_pool_init(&stages.chunks);
    stages.store = store_open("memory", &options, &error);
    stages.scheduler = scheduler_find("round_robin");
    assert(stages.store != NULL && stages.scheduler != NULL);
    the_job = fake_job_create(&stages.chunks, stages.store);
    return &stages;
}

/* The answer to a text that is right: what a comment in it says, such as `# queue_full`. */
static enum submission_answer answer_to(const struct submission *submission)
{
    static const char *const comments[SUBMISSION_ANSWER_COUNT] = {
        [SUBMISSION_TOO_MANY] = "# too_many",     [SUBMISSION_PENDING_FULL] = "# pending_full",
        [SUBMISSION_QUEUE_FULL] = "# queue_full", [SUBMISSION_INBOUND_FULL] = "# inbound_full",
        [SUBMISSION_STOPPING] = "# stopping",     [SUBMISSION_NOT_STORED] = "# not_stored",
    };

    for (int i = 0; i < SUBMISSION_ANSWER_COUNT; i++)
        if (comments[i] != NULL &&
            memmem(submission->text, submission->length, comments[i], strlen(comments[i])) != NULL)
            return (enum submission_answer)i;
    return SUBMISSION_ADMITTED;
}

/* As accept/submissions.c does, but that nothing enters. */
void host_submit(struct host *host, struct submission *submission)
{
    const struct job_file_options options = {
        .weight_capacity = WEIGHT_CAPACITY, .default_timeout_ns = 3600 * NS_PER_S, .stop_fd = -1};
    bool right = submission_read(submission, &options, &host_stages(host)->chunks);
    struct job **jobs = submission->jobs;
    size_t count = submission->jobs_count;

    assert(!right || count > 0);
    assert(right || submission->diagnostics.found_count > 0);
    if (right)
        submission->answer = answer_to(submission);
    strcpy(submission->refusal, "there is no room");
    submission->answered(submission->context, submission);
    for (size_t i = 0; i < count; i++)
        job_destroy(&jobs[i]);
    free(jobs);
}

void host_admit(struct host *host, struct gathering *gathering)
{
    (void)host;
    assert(gathering->read.head == NULL);
}

void host_enter(struct host *host, struct gathering *gathering)
{
    (void)host;
    assert(gathering->tasks.count == 0);
}

struct job *host_find_job(struct host *host, const char *id)
{
    host_stages(host);
    if (strcmp(id, the_job->id) != 0)
        return NULL;
    job_hold(the_job);
    return the_job;
}

enum host_cancelled host_cancel_job(struct host *host, const char *id, struct error *error)
{
    (void)host;
    if (strcmp(id, the_job->id) != 0)
        return HOST_HAS_NO_SUCH_JOB;
    error_set(error, "store_failed", "no room");
    return the_job->stop == JOB_GOES_ON ? HOST_CANCELS : HOST_CANCELS_UNWRITTEN;
}

void host_cancel_task(struct host *host, struct job *job, struct task *task)
{
    (void)host;
    assert(task->job == job && job_is_held(job));
}

/* Every other type, as its name is long. */
bool host_isolates(struct host *host, const char *type, struct isolation_facts *facts)
{
    (void)host;
    (void)facts;
    return strlen(type) % 2 == 0;
}

void api_on_main(struct api *api, struct http_request *request, const void *call, size_t bytes)
{
    struct loop_call *copy = malloc(bytes);

    (void)api;
    (void)request;
    if (copy == NULL)
        abort();
    memcpy(copy, call, bytes);
    copy->run(copy);
}

bool host_retry(struct host *host, const struct store_query *query, struct host_retried *retried,
                struct error *error)
{
    (void)host;
    (void)error;
    *retried = (struct host_retried){.tasks = query->limit == 1};
    if (query->limit != 1)
        error_set(&retried->why, "no_plugin", "nobody has its type");
    retried->left = query->limit != 1;
    return true;
}

void stages_set_scheduler(struct stages *of, const struct scheduler *scheduler)
{
    of->scheduler = scheduler;
}

struct group *router_find_group(struct router *router, const char *name)
{
    (void)router;
    return strcmp(name, "a") == 0 ? (struct group *)&group : NULL;
}

void router_visit(struct router *router,
                  void (*visit)(void *context, const struct router_facts *facts), void *context)
{
    static const struct sluice_map labels = {0};
    struct router_facts facts = {(struct group *)&group, "noop", &labels};

    (void)router;
    visit(context, &facts);
}

struct group *router_charged(struct router *router, const struct task *task)
{
    (void)router;
    return strcmp(task->id, "queued") == 0 ? NULL : (struct group *)&group;
}

bool router_may_run(struct router *router, const struct task *task, char *why, size_t capacity)
{
    (void)router;
    (void)task;
    assert(capacity > 0);
    why[0] = '\0';
    return false;
}

/* Every reason there is, by the last digit of the task's id: of weight each limit. */
struct group_reason group_explain(struct group *of, const struct task *task)
{
    static const enum group_why others[] = {GROUP_IS_PAUSED, GROUP_IS_BUSY, GROUP_NEEDS_TURN,
                                            GROUP_HAS_OTHERS, GROUP_HAS_NO_PLUGIN};
    unsigned digit = (unsigned char)task->id[strlen(task->id) - 1] % 10;
    struct group_reason reason = {.why = GROUP_NEEDS_WEIGHT, .workers = 1, .queued = digit};

    (void)of;
    reason.weight = (struct gate_reason){(enum gate_limit)(digit % 5), 3, 2, 4};
    if (digit >= 5)
        reason.why = others[digit - 5];
    return reason;
}

/* A call of each of the first tasks. */
void executor_visit_running(struct executor *executor,
                            void (*visit)(void *context, const struct running *running),
                            void *context)
{
    (void)executor;
    for (uint32_t number = 0; number < 8; number++)
        visit(context, &(struct running){.job_key = the_job->store_key,
                                         .number = number,
                                         .group = "a",
                                         .weight = (int32_t)number,
                                         .progress_done = 1,
                                         .progress_total = 2});
}

const char *group_name(const struct group *of)
{
    (void)of;
    return "a";
}

void *group_party(const struct group *of)
{
    (void)of;
    return NULL;
}

void group_set_workers(struct group *of, uint32_t workers)
{
    (void)of;
    assert(workers >= 1 && workers <= GROUP_WORKERS_MOST);
}

void group_pause(struct group *of)
{
    (void)of;
}

void group_resume(struct group *of)
{
    (void)of;
}

struct group_facts group_facts(struct group *of)
{
    (void)of;
    return (struct group_facts){.name = "a", .workers = 1};
}

struct admission_facts admission_facts(struct admission *admission)
{
    (void)admission;
    return (struct admission_facts){.capacity = WEIGHT_CAPACITY};
}

struct party_facts admission_party_facts(struct admission *admission, const struct party *party)
{
    (void)admission;
    (void)party;
    return (struct party_facts){0};
}
