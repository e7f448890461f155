/* Single tasks that are admitted together. While nobody waits for room, one look does for all of
 * them; else, and from the first one on that finds none, each is admitted as if it had come
 * alone. */
#include <assert.h>

#include "accept/submissions_internal.h"

enum { TOGETHER_MOST = 64 };

static bool is_single(const struct submission *submission)
{
    return submission->jobs_count == 1 && submission->jobs[0]->keep == JOB_KEEPS_ONE &&
           submission->tasks_count == 1;
}

/* What is to be durable is answered one by one in any case, when it is on disk. */
bool submissions_gather(const struct submissions *submissions, struct submission *submission)
{
    struct gathering *gathering = submission->gathering;
    if (gathering == NULL || submissions->receipts != NULL || !is_single(submission))
        return false;
    line_push(&gathering->read, submission);
    return true;
}

/* Whether nobody waits for room, nor would have to by the round that they are tried in. */
static bool begin_together(struct submissions *submissions, const struct gathering *gathering)
{
    MUTEX_GUARD(&submissions->lock);
    uint64_t round = submissions_may_wait(submissions) ? submissions->round : 0;
    if (submissions->closed || submissions->in_round || submissions->aside.head != NULL ||
        (round > 0 && submissions->host_full >= round))
        return false;
    for (struct submission *one = gathering->read.head; one != NULL; one = one->next) {
        one->ticket = ++submissions->tickets;
        one->round = round;
    }
    return true;
}

/* Takes room for the first ones, TOGETHER_MOST at most, and off the gathering; returns how many. */
static size_t reserve_together(const struct submissions *submissions, struct gathering *gathering,
                               struct submission **together)
{
    struct room *pending = submissions->options.intake.pending;
    struct submission *const *first = &gathering->read.head;
    size_t got = 0;
    if (submissions_inbound_is_full(submissions))
        return 0;
    while (got < TOGETHER_MOST && *first != NULL && room_reserve(pending, 1)) {
        if (submissions_reserve_queues(submissions, *first) != SUBMISSION_ADMITTED) {
            submissions_give_room(submissions, 1);
            break;
        }
        together[got++] = line_pop(&gathering->read);
    }
    return got;
}

static void enter_together(struct submissions *submissions, struct submission **together,
                           size_t count, struct task_list *tasks)
{
    const struct submissions_options *options = &submissions->options;
    struct job *jobs[TOGETHER_MOST];
    struct task_list entering;
    task_list_init(&entering);
    for (size_t i = 0; i < count; i++)
        jobs[i] = together[i]->jobs[0];
    job_table_add_all(options->table, jobs, count);
    for (size_t i = 0; i < count; i++)
        job_take_tasks(jobs[i], i + 1, &entering); /* one more: its only one */
    assert(entering.count == count);
    intake_note(&options->intake, &entering);
    for (size_t i = 0; i < count; i++) {
        together[i]->answer = SUBMISSION_ADMITTED;
        submissions_answer(submissions, together[i]);
    }
    task_list_append(tasks, &entering);
}

void submissions_admit(struct submissions *submissions, struct gathering *gathering)
{
    struct submission *together[TOGETHER_MOST];
    size_t count;
    if (gathering->read.head == NULL)
        return;
    if (begin_together(submissions, gathering))
        while ((count = reserve_together(submissions, gathering, together)) > 0)
            enter_together(submissions, together, count, &gathering->tasks);
    for (struct submission *one; (one = line_pop(&gathering->read)) != NULL;)
        submissions_admit_one(submissions, one);
}

void submissions_enter(struct submissions *submissions, struct gathering *gathering)
{
    intake_enter(&submissions->options.intake, &gathering->tasks);
}
