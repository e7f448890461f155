/* Who gets room, and what follows from that. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "accept/receipts.h"
#include "accept/submissions_internal.h"

enum { ENTER_BATCH = 1024 };

enum submission_answer submissions_reserve_queues(const struct submissions *submissions,
                                                  struct submission *submission)
{
    const struct submissions_options *options = &submissions->options;
    return options->reserve == NULL ? SUBMISSION_ADMITTED
                                    : options->reserve(options->context, submission);
}

bool submissions_inbound_is_full(const struct submissions *submissions)
{
    struct inbound *inbound = submissions->options.intake.inbound;
    return inbound_length(inbound) >= inbound_capacity(inbound);
}

void submissions_give_room(const struct submissions *submissions, uint64_t tasks_count)
{
    const struct intake *intake = &submissions->options.intake;
    if (room_give(intake->pending, tasks_count))
        intake->room_reached(intake->context);
}

/* Whether somebody before it in its round waits for the host; what is in none is behind all. */
static bool waits_behind(struct submissions *submissions, const struct submission *submission)
{
    MUTEX_GUARD(&submissions->lock);
    if (submission->round > 0)
        return submissions->host_full >= submission->round;
    return (submissions->in_round || submissions->aside.head != NULL) &&
           submissions->host_full >= submissions->round;
}

/* Takes room everywhere or nowhere, and returns SUBMISSION_ADMITTED or what is full. */
static enum submission_answer reserve(struct submissions *submissions,
                                      struct submission *submission)
{
    struct room *pending = submissions->options.intake.pending;
    size_t capacity = room_capacity(pending);
    submission->refusal[0] = '\0';
    if (submission->tasks_count > capacity) {
        snprintf(submission->refusal, sizeof submission->refusal,
                 "%" PRIu64 " tasks are more than max_pending allows in all, %zu",
                 submission->tasks_count, capacity);
        return SUBMISSION_TOO_MANY;
    }
    if (waits_behind(submissions, submission))
        return SUBMISSION_PENDING_FULL;
    if (submissions_inbound_is_full(submissions))
        return SUBMISSION_INBOUND_FULL;
    if (!room_reserve(pending, submission->tasks_count))
        return SUBMISSION_PENDING_FULL;
    enum submission_answer answer = submissions_reserve_queues(submissions, submission);
    if (answer != SUBMISSION_ADMITTED)
        submissions_give_room(submissions, submission->tasks_count);
    return answer;
}

static void enter(const struct submissions *submissions, struct job *job,
                  struct gathering *gathering)
{
    const struct intake *intake = &submissions->options.intake;
    struct task_list batch;
    task_list_init(&batch);
    bool added = job_table_add(submissions->options.table, job, NULL);
    assert(added); /* no ULID is made twice */
    while (job_take_tasks(job, ENTER_BATCH, &batch)) {
        intake_note(intake, &batch);
        if (gathering != NULL)
            task_list_append(&gathering->tasks, &batch);
        else
            intake_enter(intake, &batch);
    }
    intake_store_empty(intake, job);
    intake_seal(intake, job);
}

void submissions_end_share(const struct submissions *submissions, struct job **jobs, size_t count)
{
    const struct submissions_options *options = &submissions->options;
    for (size_t i = 0; i < count; i++)
        if (job_count_ended(jobs[i], TASK_ACCEPTED, 1))
            options->job_over(options->context, jobs[i]);
    free(jobs);
}

/* The reader's own share in a job keeps it until it was answered for. */
void submissions_answer(struct submissions *submissions, struct submission *submission)
{
    bool admitted = submission->answer == SUBMISSION_ADMITTED;
    struct job **jobs = submission->jobs;
    size_t count = submission->jobs_count;
    if (!admitted)
        atomic_fetch_add(&submissions->refused[submission->answer], 1);
    for (size_t i = 0; i < count && !admitted; i++)
        job_destroy(&jobs[i]);
    submission->answered(submission->context, submission); /* and perhaps it is gone */
    if (admitted)
        submissions_end_share(submissions, jobs, count);
    else
        free(jobs);
}

static bool is_full(enum submission_answer answer)
{
    return answer == SUBMISSION_PENDING_FULL || answer == SUBMISSION_QUEUE_FULL ||
           answer == SUBMISSION_INBOUND_FULL;
}

static void note_full(struct submissions *submissions, const struct submission *submission)
{
    MUTEX_GUARD(&submissions->lock);
    if (submission->answer != SUBMISSION_QUEUE_FULL && submissions->host_full < submission->round)
        submissions->host_full = submission->round;
}

/* Its tasks are not to enter: their room and their memory go. */
static void give_back(const struct submissions *submissions, struct submission *submission)
{
    const struct submissions_options *options = &submissions->options;
    if (options->give_back != NULL)
        options->give_back(options->context, submission);
    for (struct task *task; (task = task_list_pop(&submission->tasks)) != NULL;)
        chunk_release(task->chunk, 1);
    submissions_give_room(submissions, submission->tasks_count);
}

/* The receipts' thread or the store's. */
void submissions_settled(void *context, struct submission *submission)
{
    struct submissions *submissions = context;
    if (submission->place != NULL) {
        submissions_settle_delayed(submissions, submission);
        return;
    }
    submission->answer = submission->is_lost ? SUBMISSION_NOT_STORED : SUBMISSION_ADMITTED;
    for (size_t i = 0; i < submission->jobs_count && !submission->is_lost; i++) {
        bool added = job_table_add(submissions->options.table, submission->jobs[i], NULL);
        assert(added); /* no ULID is made twice */
    }
    if (submission->is_lost)
        give_back(submissions, submission);
    submissions_answer(submissions, submission);
}

/* Nothing is taken that cannot be written down. */
static bool store_is_ready(const struct submissions *submissions, struct submission *submission)
{
    struct error error;
    if (store_is_well(submissions->options.intake.store, &error))
        return true;
    submission->answer = SUBMISSION_NOT_STORED;
    snprintf(submission->refusal, sizeof submission->refusal, "%.*s",
             (int)sizeof submission->refusal - 1, error.message);
    return false;
}

static bool may_delay(const struct submissions *submissions)
{
    return submissions->receipts != NULL &&
           atomic_load(&submissions->overflow) == SUBMISSIONS_STORE;
}

/* There is no room: returns what is to stand in line; NULL if it is not to wait. */
static struct submission *stand_aside(struct submissions *submissions,
                                      struct submission *submission)
{
    if (submission->round == 0)
        return NULL;
    note_full(submissions, submission);
    if (submission->is_place || !may_delay(submissions))
        return submission;
    return submissions_begin_delay(submissions, submission);
}

static void admit_now(struct submissions *submissions, struct submission *submission)
{
    if (submission->is_place) {
        submissions_enter_delayed(submissions, submission);
        return;
    }
    if (submissions->receipts != NULL) {
        receipts_take(submissions->receipts, submission);
        return;
    }
    for (size_t i = 0; i < submission->jobs_count; i++)
        enter(submissions, submission->jobs[i], submission->gathering);
    submissions_answer(submissions, submission);
}

/* What was acknowledged is not refused any more. */
static void refuse(struct submissions *submissions, struct submission *submission)
{
    if (submission->is_place)
        submissions_force_delayed(submissions, submission);
    else
        submissions_answer(submissions, submission);
}

/* Returns what is to be tried again later; NULL: nothing is. */
struct submission *submissions_try(struct submissions *submissions, struct submission *submission)
{
    bool ended;
    if (submission->is_place && !submissions_may_try(submissions, submission, &ended))
        return ended ? NULL : submission;
    if (submission->is_place || store_is_ready(submissions, submission))
        submission->answer = reserve(submissions, submission);
    struct submission *waits =
        is_full(submission->answer) ? stand_aside(submissions, submission) : NULL;
    if (waits != NULL)
        return waits;
    if (submission->answer == SUBMISSION_ADMITTED)
        admit_now(submissions, submission);
    else
        refuse(submissions, submission);
    return NULL;
}
