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
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "accept/submissions_internal.h"
#include "support/clock.h"
#include "support/thread.h"

#define LOOK_NS (5 * NS_PER_MS)
/* Between two rounds that go on when the host is full: there may be a million aside, of which some
 * were cancelled meanwhile, or wait no more under another overflow. */
#define SWEEP_NS NS_PER_S

enum { TAKE_UP_BATCH = 1024 };

/* ---- the way through ---- */

static bool put(struct submissions *submissions, struct submission_line *line,
                struct submission *submission)
{
    submission->gathering = NULL; /* from here on it is in other hands than its sender's */
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
    submissions_answer(submissions, submission);
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

/* False: it stands in line for the round that is under way, and is in other hands. */
static bool is_tried_at_once(struct submissions *submissions, struct submission *submission)
{
    submission->round = 0;
    if (!submissions_may_wait(submissions))
        return true;
    MUTEX_GUARD(&submissions->lock);
    submission->ticket = ++submissions->tickets;
    submission->round = submissions->round;
    if (!submissions->in_round || submissions->closed)
        return true;
    submission->gathering = NULL;
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

void submissions_admit_one(struct submissions *submissions, struct submission *submission)
{
    if (atomic_load(&submissions->closed)) { /* since it was read */
        refuse(submissions, submission);
        return;
    }
    struct submission *waits =
        is_tried_at_once(submissions, submission) ? submissions_try(submissions, submission) : NULL;
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
        submissions_admit_one(submissions, submission);
    else
        submissions_answer(submissions, submission);
}

/* By who sends it, who does not wait for the plugin of its type: the reader does. */
static void read_at_once(struct submissions *submissions, struct submission *submission)
{
    bool must_wait = false;
    if (read_text(submissions, submission, &must_wait)) {
        if (!submissions_gather(submissions, submission))
            submissions_admit_one(submissions, submission);
    } else if (must_wait) {
        submission_forget(submission);
        put_in_queue(submissions, submission);
    } else {
        submissions_answer(submissions, submission);
    }
}

void submissions_take(struct submissions *submissions, struct submission *submission)
{
    if (is_read_at_once(submission) && !atomic_load(&submissions->closed))
        read_at_once(submissions, submission);
    else
        put_in_queue(submissions, submission);
}

void submissions_take_up(struct submissions *submissions, struct job *job)
{
    struct task_list batch;
    task_list_init(&batch);
    job_count_submitted(job, job->tasks_count);
    while (job_take_tasks(job, TAKE_UP_BATCH, &batch))
        task_list_init(&batch); /* they are listed again when they enter */
    struct submission *place = submissions_hold_place(submissions, job);
    bool open = put(submissions, &submissions->aside, place);
    assert(open);
    (void)open;
}

/* *line: those who are to be tried. */
static bool begin_round(struct submissions *submissions, struct submission_line *line,
                        uint64_t *round)
{
    MUTEX_GUARD(&submissions->lock);
    submissions->in_round = submissions->aside.head != NULL;
    submissions->round += submissions->in_round;
    *round = submissions->round;
    line_move(line, &submissions->aside);
    return submissions->in_round;
}

/* False: nobody came meanwhile, and those who were kept stand aside until the next. */
static bool round_goes_on(struct submissions *submissions, struct submission_line *line,
                          struct submission_line *kept)
{
    MUTEX_GUARD(&submissions->lock);
    submissions->in_round = submissions->aside.head != NULL;
    line_move(submissions->in_round ? line : &submissions->aside,
              submissions->in_round ? &submissions->aside : kept);
    return submissions->in_round;
}

static bool sweeps(struct submissions *submissions)
{
    int64_t now_ns = clock_now_ns();
    bool due = now_ns - submissions->swept_ns >= SWEEP_NS;
    if (due)
        submissions->swept_ns = now_ns;
    return due;
}

static bool host_is_full(struct submissions *submissions, uint64_t round)
{
    MUTEX_GUARD(&submissions->lock);
    return submissions->host_full >= round;
}

/* Those that came while the round was under way are looked at in any case. */
static void try_aside(struct submissions *submissions)
{
    struct submission_line line, kept;
    uint64_t round;
    bool more = begin_round(submissions, &line, &round);
    bool skips = more && !sweeps(submissions);
    line_init(&kept);
    for (; more; more = round_goes_on(submissions, &line, &kept), skips = false)
        for (struct submission *one; (one = line_pop(&line)) != NULL;) {
            one->round = one->is_place || submissions_may_wait(submissions) ? round : 0;
            struct submission *waits = submissions_try(submissions, one);
            if (waits == NULL)
                continue;
            line_push(&kept, waits);
            store_if_delayed(submissions, one, waits);
            if (skips && host_is_full(submissions, round))
                line_append(&kept, &line);
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
static void refuse_all(struct submissions *submissions, struct submission_line *line)
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
    const struct receipts_options options = {.intake = submissions->options.intake,
                                             .context = submissions,
                                             .settled = submissions_settled};
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
