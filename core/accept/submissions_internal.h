/* submissions_internal: what submissions.c, submissions_admit.c, submissions_gather.c and
 * submissions_delay.c share. Included by nobody else. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "accept/receipts.h"
#include "accept/submissions.h"
#include "support/thread.h"

struct submissions {
    struct submissions_options options; /* immutable */
    struct thread thread;
    struct receipts *receipts;   /* NULL: the store is not durable */
    int stop_fd;                 /* an eventfd: can be read once reading is to end */
    struct job_file_spare spare; /* of the tasks that were read at once */
    _Atomic int32_t weight_capacity;
    _Atomic int overflow; /* enum submissions_overflow */
    _Atomic uint64_t refused[SUBMISSION_ANSWER_COUNT];
    _Atomic uint64_t delayed; /* submissions that were put aside in the store */
    int64_t swept_ns;         /* the reader thread: when all aside were looked at last */
    struct mutex lock;
    struct cond changed;
    /* guarded by lock */
    struct submission_line queued; /* to be read */
    struct submission_line aside;  /* read; wait for room */
    uint64_t tickets;              /* that were given out */
    uint64_t round;                /* the one that is under way, or the last */
    bool in_round;                 /* one is under way: those aside are in hand */
    uint64_t host_full;   /* the last round in which somebody has found no room in the host */
    _Atomic bool closed;  /* may be looked at without it */
    uint64_t aside_tasks; /* that were acknowledged and wait for room, or are just being stored */
};

static inline void line_init(struct submission_line *line)
{
    line->head = NULL;
    line->tail = &line->head;
}

static inline void line_push(struct submission_line *line, struct submission *submission)
{
    submission->next = NULL;
    *line->tail = submission;
    line->tail = &submission->next;
}

static inline struct submission *line_pop(struct submission_line *line)
{
    struct submission *submission = line->head;
    if (submission == NULL)
        return NULL;
    line->head = submission->next;
    if (line->head == NULL)
        line->tail = &line->head;
    return submission;
}

/* Adds the other one at the end, which is empty then. */
static inline void line_append(struct submission_line *line, struct submission_line *other)
{
    if (other->head == NULL)
        return;
    *line->tail = other->head;
    line->tail = other->tail;
    line_init(other);
}

/* Leaves the other one empty. */
static inline void line_move(struct submission_line *to, struct submission_line *from)
{
    *to = *from;
    if (to->head == NULL)
        to->tail = &to->head;
    line_init(from);
}

/* Whether what has no room may wait for it. */
static inline bool submissions_may_wait(const struct submissions *submissions)
{
    return atomic_load(&submissions->overflow) != SUBMISSIONS_REFUSE;
}

/* ---- submissions.c ---- */

/* Admits or refuses a submission that was read and answers it, or puts it aside. Who sends it, or
 * the reader thread. */
void submissions_admit_one(struct submissions *submissions, struct submission *submission);

/* ---- submissions_gather.c: what is admitted together ---- */

/* Leaves a submission that was read to its gathering; false if it has none or is not for one. */
bool submissions_gather(const struct submissions *submissions, struct submission *submission);

/* ---- submissions_admit.c: who gets room ---- */

/* Takes places in the queues of the groups for it, as the options' reserve says. */
enum submission_answer submissions_reserve_queues(const struct submissions *submissions,
                                                  struct submission *submission);

/* Returns whether inbound takes nothing just now. */
bool submissions_inbound_is_full(const struct submissions *submissions);

/* Gives room for tasks back that were not to have it. */
void submissions_give_room(const struct submissions *submissions, uint64_t tasks_count);

/* Admits a submission that was read, or refuses it, and answers it, unless it waits: returns what
 * is to be tried again later; NULL: nothing is. The reader thread, or who sends it. */
struct submission *submissions_try(struct submissions *submissions, struct submission *submission);

/* Answers a submission, whose answer is set; it is gone then. */
void submissions_answer(struct submissions *submissions, struct submission *submission);

/* For receipts_options.settled; context is the submissions. */
void submissions_settled(void *context, struct submission *submission);

/* Ends the reader's share in the jobs of a submission, and frees the list of them. */
void submissions_end_share(const struct submissions *submissions, struct job **jobs, size_t count);

/* ---- submissions_delay.c: what is put aside in the store ---- */

/* Makes what holds the place of a submission that is to be stored although there is no room for
 * it. NULL if too much was put aside already. */
struct submission *submissions_begin_delay(struct submissions *submissions,
                                           struct submission *submission);

/* Forgets that again. */
void submissions_undo_delay(struct submissions *submissions, struct submission *submission);

/* Makes what holds the place of a job that an earlier host has acknowledged. */
struct submission *submissions_hold_place(struct submissions *submissions, struct job *job);

/* Answers a submission whose place is held: it is durable, or lost. The receipts' thread. */
void submissions_settle_delayed(struct submissions *submissions, struct submission *submission);

/* What holds a place is looked at in its turn: whether it is to be tried as others. Else *ended
 * says whether it is done with (and gone), or stays. */
bool submissions_may_try(struct submissions *submissions, struct submission *place, bool *ended);

/* Brings in what holds a place, which has room now; it is gone then. */
void submissions_enter_delayed(struct submissions *submissions, struct submission *place);

/* The same without room for it: limits were lowered since it was acknowledged, and it would never
 * have any. */
void submissions_force_delayed(struct submissions *submissions, struct submission *place);

/* The host stops: what holds a place is left to the next one. The reader thread. */
void submissions_leave_delayed(struct submissions *submissions, struct submission *place);
