/* A submission goes from hand to hand: queued until the reader thread has read it, then admitted,
 * refused, or put aside until there is room. What is put aside is tried again every LOOK_NS:
 * nobody has to say so when a task ends, which would cost each of them more than these looks.
 *
 * Those aside are tried in rounds, in the order in which they came. What is full for one of them is
 * full for all behind it in the same round, even if it would do for them. A new one is tried at
 * once, as the last of the round before, while no round is under way; else it stands in line for
 * it. So nothing slips in where somebody waits. */
#include "accept/submissions.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "accept/submissions_internal.h"
#include "support/clock.h"
#include "support/thread.h"

#define LOOK_NS (5 * NS_PER_MS)

enum { ENTER_BATCH = 1024 };

/* ---- admitting ---- */

static enum submission_answer reserve_queues(const struct submissions *submissions,
                                             struct submission *submission)
{
    const struct submissions_options *options = &submissions->options;
    return options->reserve == NULL ? SUBMISSION_ADMITTED
                                    : options->reserve(options->context, submission);
}

static bool inbound_is_full(const struct submissions *submissions)
{
    struct inbound *inbound = submissions->options.intake.inbound;
    return inbound_length(inbound) >= inbound_capacity(inbound);
}

/* Whether somebody before it in its round waits for the host. */
static bool waits_behind(struct submissions *submissions, const struct submission *submission)
{
    if (submission->round == 0)
        return false;
    MUTEX_GUARD(&submissions->lock);
    return submissions->host_full >= submission->round;
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
    if (inbound_is_full(submissions))
        return SUBMISSION_INBOUND_FULL;
    if (!room_reserve(pending, submission->tasks_count))
        return SUBMISSION_PENDING_FULL;
    enum submission_answer answer = reserve_queues(submissions, submission);
    if (answer != SUBMISSION_ADMITTED && room_give(pending, submission->tasks_count))
        submissions->options.intake.room_reached(submissions->options.intake.context);
    return answer;
}

static void enter(const struct submissions *submissions, struct job *job,
                  struct task_list *gathered)
{
    const struct intake *intake = &submissions->options.intake;
    struct task_list batch;
    task_list_init(&batch);
    bool added = job_table_add(submissions->options.table, job, NULL);
    assert(added); /* no ULID is made twice */
    while (job_take_tasks(job, ENTER_BATCH, &batch)) {
        intake_note(intake, &batch);
        if (gathered != NULL)
            task_list_append(gathered, &batch);
        else
            intake_enter(intake, &batch);
    }
    intake_seal(intake, job);
}

void submissions_end_share(const struct submissions *submissions, struct submission *submission)
{
    const struct submissions_options *options = &submissions->options;
    struct job **jobs = submission->jobs;
    size_t count = submission->jobs_count;
    for (size_t i = 0; i < count; i++)
        if (job_count_ended(jobs[i], TASK_ACCEPTED, 1))
            options->job_over(options->context, jobs[i]);
    free(jobs);
}

/* The reader's own share in a job keeps it until it was answered for. */
static void answer(struct submissions *submissions, struct submission *submission)
{
    bool admitted = submission->answer == SUBMISSION_ADMITTED;
    struct submission shares = {.jobs = submission->jobs, .jobs_count = submission->jobs_count};
    if (!admitted)
        atomic_fetch_add(&submissions->refused[submission->answer], 1);
    for (size_t i = 0; i < shares.jobs_count && !admitted; i++)
        job_destroy(&shares.jobs[i]);
    submission->answered(submission->context, submission); /* and perhaps it is gone */
    if (admitted)
        submissions_end_share(submissions, &shares);
    else
        free(shares.jobs);
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
    if (room_give(options->intake.pending, submission->tasks_count))
        options->intake.room_reached(options->intake.context);
}

/* The receipts' thread. */
static void settled(void *context, struct submission *submission)
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
    answer(submissions, submission);
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
        enter(submissions, submission->jobs[i], submission->gathered);
    answer(submissions, submission);
}

/* Returns what is to be tried again later; NULL: nothing is. */
static struct submission *try_to_admit(struct submissions *submissions,
                                       struct submission *submission)
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
        answer(submissions, submission);
    return NULL;
}

/* ---- the way through ---- */

static bool is_closed(struct submissions *submissions)
{
    MUTEX_GUARD(&submissions->lock);
    return submissions->closed;
}

static bool put(struct submissions *submissions, struct line *line, struct submission *submission)
{
    submission->gathered = NULL; /* from here on it is in other hands than its sender's */
    mutex_lock(&submissions->lock);
    bool open = !submissions->closed;
    if (open)
        line_push(line, submission);
    mutex_unlock(&submissions->lock);
    if (open)
        cond_signal(&submissions->changed);
    return open;
}

static void refuse(struct submissions *submissions, struct submission *submission)
{
    submission->answer = SUBMISSION_STOPPING;
    answer(submissions, submission);
}

/* Who sends it is not to be held up: a task is short, unless an alias stands for a lot. */
static bool is_read_at_once(const struct submission *submission)
{
    return submission->root == JOB_FILE_TASK &&
           submission->length <= SUBMISSIONS_AT_ONCE_MOST_BYTES &&
           memchr(submission->text, '*', submission->length) == NULL;
}

/* must_wait: as in job_file_options; not NULL where the sender reads, which has memory to use
 * again. */
static bool read_text(struct submissions *submissions, struct submission *submission,
                      bool *must_wait)
{
    const struct job_file_options options = {
        .registry = submissions->options.registry,
        .must_wait = must_wait,
        .weight_capacity = atomic_load(&submissions->weight_capacity),
        .default_timeout_ns = submissions->options.default_timeout_ns,
        .stop_fd = submissions->stop_fd,
        .spare = must_wait != NULL ? &submissions->spare : NULL,
    };
    return submission_read(submission, &options, submissions->options.chunks);
}

static bool may_wait(const struct submissions *submissions)
{
    return atomic_load(&submissions->overflow) != SUBMISSIONS_REFUSE;
}

/* False: it stands in line for the round that is under way, and is in other hands. */
static bool is_tried_at_once(struct submissions *submissions, struct submission *submission)
{
    submission->round = 0;
    if (!may_wait(submissions))
        return true;
    MUTEX_GUARD(&submissions->lock);
    submission->ticket = ++submissions->tickets;
    submission->round = submissions->round;
    if (!submissions->in_round || submissions->closed)
        return true;
    submission->gathered = NULL;
    line_push(&submissions->aside, submission);
    return false;
}

/* What holds its place stands in line: now it may go its way through the store. */
static void store_if_delayed(struct submissions *submissions, struct submission *submission,
                             const struct submission *waits)
{
    if (waits != submission)
        receipts_take(submissions->receipts, submission);
}

static void admit(struct submissions *submissions, struct submission *submission)
{
    struct submission *waits =
        is_tried_at_once(submissions, submission) ? try_to_admit(submissions, submission) : NULL;
    if (waits == NULL)
        return;
    if (put(submissions, &submissions->aside, waits)) {
        store_if_delayed(submissions, submission, waits);
        return;
    }
    if (waits != submission)
        submissions_undo_delay(submissions, submission);
    refuse(submissions, submission);
}

static void put_in_queue(struct submissions *submissions, struct submission *submission)
{
    if (!put(submissions, &submissions->queued, submission))
        refuse(submissions, submission);
}

static void read_and_admit(struct submissions *submissions, struct submission *submission)
{
    if (read_text(submissions, submission, NULL))
        admit(submissions, submission);
    else
        answer(submissions, submission);
}

/* By who sends it, who does not wait for the plugin of its type: the reader does. */
static void read_at_once(struct submissions *submissions, struct submission *submission)
{
    bool must_wait = false;
    if (read_text(submissions, submission, &must_wait)) {
        admit(submissions, submission);
    } else if (must_wait) {
        submission_forget(submission);
        put_in_queue(submissions, submission);
    } else {
        answer(submissions, submission);
    }
}

void submissions_take(struct submissions *submissions, struct submission *submission)
{
    if (is_read_at_once(submission) && !is_closed(submissions))
        read_at_once(submissions, submission);
    else
        put_in_queue(submissions, submission);
}

void submissions_enter(struct submissions *submissions, struct task_list *gathered)
{
    intake_enter(&submissions->options.intake, gathered);
}

/* *line: those who are to be tried. */
static bool begin_round(struct submissions *submissions, struct line *line, uint64_t *round)
{
    MUTEX_GUARD(&submissions->lock);
    submissions->in_round = submissions->aside.head != NULL;
    submissions->round += submissions->in_round;
    *round = submissions->round;
    line_move(line, &submissions->aside);
    return submissions->in_round;
}

/* False: nobody came meanwhile, and those who were kept stand aside until the next. */
static bool round_goes_on(struct submissions *submissions, struct line *line, struct line *kept)
{
    MUTEX_GUARD(&submissions->lock);
    submissions->in_round = submissions->aside.head != NULL;
    line_move(submissions->in_round ? line : &submissions->aside,
              submissions->in_round ? &submissions->aside : kept);
    return submissions->in_round;
}

static void try_aside(struct submissions *submissions)
{
    struct line line, kept;
    uint64_t round;
    bool more = begin_round(submissions, &line, &round);
    line_init(&kept);
    for (; more; more = round_goes_on(submissions, &line, &kept))
        for (struct submission *one; (one = line_pop(&line)) != NULL;) {
            one->round = one->is_place || may_wait(submissions) ? round : 0;
            struct submission *waits = try_to_admit(submissions, one);
            if (waits == NULL)
                continue;
            line_push(&kept, waits);
            store_if_delayed(submissions, one, waits);
        }
}

/* Waits for something to do; false once it is closed. *next: to be read; NULL: it is time to look
 * at those aside. */
static bool wait_for_work(struct submissions *submissions, struct submission **next)
{
    MUTEX_GUARD(&submissions->lock);
    int64_t until_ns = clock_now_ns() + LOOK_NS;
    bool in_time = true;
    while (!submissions->closed && submissions->queued.head == NULL && in_time) {
        if (submissions->aside.head == NULL) {
            cond_wait(&submissions->changed, &submissions->lock);
            until_ns = clock_now_ns() + LOOK_NS;
        } else {
            in_time = cond_wait_until(&submissions->changed, &submissions->lock, until_ns);
        }
    }
    *next = submissions->closed ? NULL : line_pop(&submissions->queued);
    return !submissions->closed;
}

/* Closed: nothing is put into the lines any more. */
static void refuse_all(struct submissions *submissions, struct line *line)
{
    for (struct submission *one; (one = line_pop(line)) != NULL;)
        if (!one->is_place)
            refuse(submissions, one);
        else
            submissions_leave_delayed(submissions, one);
}

static void submissions_run(void *argument)
{
    struct submissions *submissions = argument;
    for (struct submission *next; wait_for_work(submissions, &next);) {
        if (next != NULL)
            read_and_admit(submissions, next);
        try_aside(submissions);
    }
    refuse_all(submissions, &submissions->queued);
    refuse_all(submissions, &submissions->aside);
}

/* ---- making ---- */

static bool start_receipts(struct submissions *submissions, struct error *error)
{
    const struct receipts_options options = {
        .intake = submissions->options.intake, .context = submissions, .settled = settled};
    if (store_borrows(options.intake.store))
        return true; /* it lasts as long as this process: there is nothing to wait for */
    submissions->receipts = receipts_start(&options, error);
    return submissions->receipts != NULL;
}

static void submissions_free(struct submissions *submissions)
{
    receipts_stop(&submissions->receipts);
    if (submissions->stop_fd >= 0)
        close(submissions->stop_fd);
    job_file_spare_fini(&submissions->spare);
    cond_fini(&submissions->changed);
    mutex_fini(&submissions->lock);
    free(submissions);
}

struct submissions *submissions_start(const struct submissions_options *options,
                                      struct error *error)
{
    struct submissions *submissions = calloc(1, sizeof *submissions);
    if (submissions == NULL)
        abort();
    submissions->options = *options;
    submissions_set_limits(submissions, options->weight_capacity, options->overflow);
    mutex_init(&submissions->lock);
    cond_init(&submissions->changed);
    line_init(&submissions->queued);
    line_init(&submissions->aside);
    submissions->round = 1;
    submissions->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (submissions->stop_fd < 0)
        error_errno(error, "reader", "cannot make an event descriptor");
    else if (start_receipts(submissions, error) &&
             thread_start(&submissions->thread, "reader", submissions_run, submissions, error))
        return submissions;
    submissions_free(submissions);
    return NULL;
}

void submissions_set_limits(struct submissions *submissions, int32_t weight_capacity,
                            enum submissions_overflow overflow)
{
    atomic_store(&submissions->weight_capacity, weight_capacity);
    atomic_store(&submissions->overflow, overflow);
}

uint64_t submissions_refused(struct submissions *submissions, enum submission_answer answer)
{
    return atomic_load(&submissions->refused[answer]);
}

uint64_t submissions_delayed(struct submissions *submissions)
{
    return atomic_load(&submissions->delayed);
}

uint64_t submissions_aside_tasks(struct submissions *submissions)
{
    MUTEX_GUARD(&submissions->lock);
    return submissions->aside_tasks;
}

void submissions_close(struct submissions *submissions)
{
    mutex_lock(&submissions->lock);
    submissions->closed = true;
    mutex_unlock(&submissions->lock);
    eventfd_write(submissions->stop_fd, 1);
    cond_signal(&submissions->changed);
}

void submissions_stop(struct submissions **submissions)
{
    if (*submissions == NULL)
        return;
    thread_join(&(*submissions)->thread);
    submissions_free(*submissions);
    *submissions = NULL;
}
