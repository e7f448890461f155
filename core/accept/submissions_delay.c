/* What is put aside in the store: it was acknowledged, and waits for room as a job that has not
 * entered. Who sent it waits only for the disk; meanwhile a copy of the submission stands in line,
 * so that nothing that comes later goes before it. The copy belongs to the line; when the line has
 * closed, to whoever is told of it last. */
#include <stdlib.h>

#include "accept/submissions_internal.h"
#include "support/clock.h"
#include "support/memory.h"

/* Takes a share of what may be put aside; gives one back. */
static bool take_share(struct submissions *submissions, uint64_t tasks)
{
    MUTEX_GUARD(&submissions->lock);
    bool fits = submissions->aside_tasks + tasks <= SUBMISSIONS_ASIDE_MOST;
    submissions->aside_tasks += fits ? tasks : 0;
    return fits;
}

static void force_share(struct submissions *submissions, uint64_t tasks)
{
    MUTEX_GUARD(&submissions->lock);
    submissions->aside_tasks += tasks;
}

static void place_free(struct submissions *submissions, struct submission *place)
{
    mutex_lock(&submissions->lock);
    submissions->aside_tasks -= place->aside_tasks;
    mutex_unlock(&submissions->lock);
    free(place);
}

/* What holds a place for so many tasks, which have their share. */
static struct submission *place_create(uint64_t tasks, enum submission_stand stand)
{
    struct submission *place = calloc(1, sizeof *place);
    if (place == NULL)
        abort();
    place->is_place = true;
    place->stand = stand;
    place->tasks_count = place->aside_tasks = tasks;
    return place;
}

struct submission *submissions_begin_delay(struct submissions *submissions,
                                           struct submission *submission)
{
    if (!take_share(submissions, submission->tasks_count))
        return NULL;
    struct submission *place = place_create(submission->tasks_count, SUBMISSION_STORING);
    place->ticket = submission->ticket;
    place->round = submission->round;
    submission->place = place;
    return place;
}

void submissions_undo_delay(struct submissions *submissions, struct submission *submission)
{
    place_free(submissions, submission->place);
    submission->place = NULL;
}

/* Its tasks wait from now on: that is a part of how long they take. */
static void put_aside(struct job *job, int64_t now_ns)
{
    for (uint32_t number = 0; number < job->tasks_count; number++)
        job_task(job, number)->submitted_ns = now_ns;
    atomic_store(&job->is_aside, true);
}

struct submission *submissions_hold_place(struct submissions *submissions, struct job *job)
{
    struct submission *place = place_create(job->tasks_count, SUBMISSION_STORED);
    force_share(submissions, job->tasks_count);
    place->jobs = memory_grow(NULL, 1, sizeof(struct job *));
    place->jobs[place->jobs_count++] = job;
    put_aside(job, clock_now_ns());
    return place;
}

/* ---- it is durable, or lost ---- */

/* Says how it stands; true if the line has closed and left it. */
static bool stand(struct submissions *submissions, struct submission *place,
                  enum submission_stand stand)
{
    MUTEX_GUARD(&submissions->lock);
    place->stand = stand;
    return place->is_left;
}

static void lose(struct submissions *submissions, struct submission *submission)
{
    struct submission *place = submission->place;
    for (struct task *task; (task = task_list_pop(&submission->tasks)) != NULL;)
        chunk_release(task->chunk, 1);
    for (size_t i = 0; i < submission->jobs_count; i++)
        job_destroy(&submission->jobs[i]);
    free(submission->jobs);
    submission->answer = SUBMISSION_NOT_STORED;
    atomic_fetch_add(&submissions->refused[SUBMISSION_NOT_STORED], 1);
    submission->answered(submission->context, submission);
    if (stand(submissions, place, SUBMISSION_LOST))
        place_free(submissions, place);
}

static void acknowledge(struct submissions *submissions, struct submission *submission)
{
    struct submission *place = submission->place;
    int64_t now_ns = clock_now_ns();
    place->jobs = submission->jobs;
    place->jobs_count = submission->jobs_count;
    for (size_t i = 0; i < place->jobs_count; i++) {
        put_aside(place->jobs[i], now_ns);
        if (!job_table_add(submissions->options.table, place->jobs[i], NULL))
            abort(); /* no ULID is made twice */
    }
    atomic_fetch_add(&submissions->delayed, 1);
    submission->answer = SUBMISSION_ADMITTED;
    submission->answered(submission->context, submission); /* and perhaps it is gone */
}

void submissions_settle_delayed(struct submissions *submissions, struct submission *submission)
{
    struct submission *place = submission->place;
    if (submission->is_lost) {
        lose(submissions, submission);
        return;
    }
    acknowledge(submissions, submission);
    if (stand(submissions, place, SUBMISSION_STORED))
        submissions_leave_delayed(submissions, place);
}

/* ---- its turn ---- */

static enum submission_stand stand_of(struct submissions *submissions,
                                      const struct submission *place)
{
    MUTEX_GUARD(&submissions->lock);
    return place->stand;
}

/* What is cancelled, or all that there is of it, waits for no room. */
static bool is_cancelled(const struct submission *place)
{
    for (size_t i = 0; i < place->jobs_count; i++)
        if (atomic_load(&place->jobs[i]->stop) < JOB_CANCELLED &&
            (place->tasks_count != 1 || !job_stops(job_task(place->jobs[0], 0))))
            return false;
    return true;
}

/* It has room, or is only to be ended. Its tasks are listed only now: whoever reserves places for
 * them makes a list of his own. */
static void enter(struct submissions *submissions, struct submission *place)
{
    struct task_list tasks;
    task_list_init(&tasks);
    for (size_t i = 0; i < place->jobs_count; i++) {
        atomic_store(&place->jobs[i]->is_aside, false);
        job_list_tasks(place->jobs[i], &tasks);
    }
    intake_enter(&submissions->options.intake, &tasks);
    submissions_end_share(submissions, place->jobs, place->jobs_count);
    place_free(submissions, place);
}

void submissions_enter_delayed(struct submissions *submissions, struct submission *place)
{
    enter(submissions, place);
}

void submissions_force_delayed(struct submissions *submissions, struct submission *place)
{
    room_force(submissions->options.intake.pending, place->tasks_count);
    enter(submissions, place);
}

/* Whoever comes behind one that is being stored waits for it. */
static void hold_up(struct submissions *submissions, const struct submission *place)
{
    MUTEX_GUARD(&submissions->lock);
    if (submissions->host_full < place->round)
        submissions->host_full = place->round;
}

bool submissions_may_try(struct submissions *submissions, struct submission *place, bool *ended)
{
    *ended = false;
    switch (stand_of(submissions, place)) {
    case SUBMISSION_STORING:
        hold_up(submissions, place);
        return false;
    case SUBMISSION_STORED:
        *ended = is_cancelled(place);
        if (*ended)
            submissions_force_delayed(submissions, place);
        return !*ended;
    case SUBMISSION_LOST:
        *ended = true;
        place_free(submissions, place);
        return false;
    }
    return true;
}

/* ---- the end of the host ---- */

/* True if it is still being stored: then its receipt is told that nobody else has it. */
static bool leave_to_receipt(struct submissions *submissions, struct submission *place)
{
    MUTEX_GUARD(&submissions->lock);
    place->is_left = place->stand == SUBMISSION_STORING;
    return place->is_left;
}

/* Its tasks end here, which is no end to the store. */
void submissions_leave_delayed(struct submissions *submissions, struct submission *place)
{
    if (leave_to_receipt(submissions, place))
        return;
    if (stand_of(submissions, place) == SUBMISSION_LOST) {
        place_free(submissions, place);
        return;
    }
    for (size_t i = 0; i < place->jobs_count; i++)
        atomic_store(&place->jobs[i]->stop, JOB_STOPPED);
    submissions_force_delayed(submissions, place);
}
