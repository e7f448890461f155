/* submissions: the way of what is sent to a host that goes on, from who sends it, on a thread that
 * must not wait, until it is admitted or refused. Job files are read on a reader thread; a single
 * task of usual length is read at once by who sends it. If the store is durable, what is admitted
 * is answered and enters when it is on disk (receipts.h). Created by the host.
 *
 * Where what has no room waits, it is first come first served among those that wait for the same
 * room. Behind one that waits for the host (max_pending, inbound) all wait that come later; behind
 * one that waits for the queue of a group, only those that need a place in it too: what another
 * group may run as well goes there. So a large one gets its turn however many small ones come, and
 * one for a full group holds up none for others. What has been acknowledged without having room
 * (SUBMISSIONS_STORE) stands in the same line. */
#pragma once

#include <stdint.h>

#include "accept/intake.h"
#include "accept/job_table.h"
#include "accept/submission.h"
#include "support/error.h"

enum {
    SUBMISSIONS_AT_ONCE_MOST_BYTES = 16 * 1024, /* of a task's text: a few milliseconds */
    SUBMISSIONS_ASIDE_MOST = 1000 * 1000,       /* tasks that are put aside, SUBMISSIONS_STORE */
};

/* What to do with a submission for which there is no room. */
enum submissions_overflow {
    SUBMISSIONS_WAIT, /* its answer waits until there is */
    SUBMISSIONS_REFUSE,
    SUBMISSIONS_STORE, /* it is answered when it is durable, and enters when there is room */
};

struct submissions;

struct submissions_options {
    struct registry *registry;
    struct chunk_pool *chunks;
    struct intake intake;
    struct job_table *table;
    int32_t weight_capacity;
    int64_t default_timeout_ns;
    enum submissions_overflow overflow;
    void *context;
    /* Takes a place in the queue of a group for each task of all jobs, or for none:
     * SUBMISSION_ADMITTED, SUBMISSION_QUEUE_FULL, or SUBMISSION_TOO_MANY if there will never be so
     * much room; both with the reason in refusal. If it is tried in a round, a group that was full
     * in it for another one is full. NULL: queues have no limit. Any thread. */
    enum submission_answer (*reserve)(void *context, struct submission *submission);
    /* Gives these places back: its tasks, all in submission->tasks, do not enter. NULL if reserve
     * is. Any thread. */
    void (*give_back)(void *context, struct submission *submission);
    void (*job_over)(void *context, struct job *job); /* it had no task left when it was admitted */
};

/* Starts the reader thread; NULL with a message. The options are copied, what they point to is
 * borrowed. */
struct submissions *submissions_start(const struct submissions_options *options,
                                      struct error *error);

/* Takes a submission until it is answered, which may be within the call. A single task of a
 * gathering may be left in that, for submissions_admit. Any thread; does not wait for room. */
void submissions_take(struct submissions *submissions, struct submission *submission);

/* Admits or refuses all that is in a gathering and not answered yet, in its order. The gathering's
 * thread; does not wait for room. */
void submissions_admit(struct submissions *submissions, struct gathering *gathering);

/* Has all that was admitted of a gathering enter. Waits only while inbound is full. The gathering's
 * thread. */
void submissions_enter(struct submissions *submissions, struct gathering *gathering);

/* Puts a job of an earlier host, whose tasks (ACCEPTED) are in the store and were not handed on,
 * aside until there is room for it, in the order of the calls, however many there are; it is in the
 * table. Before anything is sent. */
void submissions_take_up(struct submissions *submissions, struct job *job);

/* Changes what may change while it works. Any thread. */
void submissions_set_limits(struct submissions *submissions, int32_t weight_capacity,
                            enum submissions_overflow overflow);

/* Counts the submissions that were refused with an answer since the start. Any thread. */
uint64_t submissions_refused(struct submissions *submissions, enum submission_answer answer);

/* Counts the submissions that were stored to wait for room, since the start. Any thread. */
uint64_t submissions_delayed(struct submissions *submissions);

/* Returns how many tasks of these wait now. They are in memory as well as in the store, so what
 * comes beyond SUBMISSIONS_ASIDE_MOST is refused. Any thread. */
uint64_t submissions_aside_tasks(struct submissions *submissions);

/* Answers all that is left with SUBMISSION_STOPPING, also what comes from now on. Any thread; does
 * not block. */
void submissions_close(struct submissions *submissions);

/* Joins the thread after submissions_close and frees it; nobody sends anything more. Clears the
 * pointer; accepts NULL. */
void submissions_stop(struct submissions **submissions);
