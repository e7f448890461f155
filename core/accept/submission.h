/* submission: what somebody sends to a host that goes on: the text of a job file, or of one task.
 * It is read as a whole and admitted as a whole or not at all. Made by whoever sends it; then in
 * one thread's hands at a time, see submissions.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job.h"
#include "accept/job_file.h"
#include "store/store.h"
#include "support/diagnostic.h"

/* What became of a submission. */
enum submission_answer {
    SUBMISSION_ADMITTED,
    SUBMISSION_INVALID,      /* the diagnostics say why */
    SUBMISSION_TOO_MANY,     /* it could never have room; see refusal */
    SUBMISSION_PENDING_FULL, /* the host has as many tasks as it may */
    SUBMISSION_QUEUE_FULL,   /* a group has: see refusal */
    SUBMISSION_INBOUND_FULL,
    SUBMISSION_STOPPING,   /* the host takes nothing more */
    SUBMISSION_NOT_STORED, /* it could not be written down: see refusal */
    SUBMISSION_ANSWER_COUNT,
};

/* What has become of a submission whose place in the line another struct holds, since there was no
 * room for it (submissions_delay.c). */
enum submission_stand {
    SUBMISSION_STORING, /* it is on its way to the disk, in other hands */
    SUBMISSION_STORED,  /* it was acknowledged, and is what holds its place from then on */
    SUBMISSION_LOST,    /* it was refused: it could not be written down */
};

enum { SUBMISSION_REFUSAL_BYTES = 256 };

/* First in, first out; see submissions_internal.h. Stays where it is initialised. */
struct submission_line {
    struct submission *head, **tail;
};

/* Single tasks that one thread sends, to be admitted together (submissions_admit) and then to enter
 * together (submissions_enter): one by one each would take locks that the workers need too, and
 * wake a dispatcher and a worker. Embedded by who sends them. */
struct gathering {
    struct submission_line read; /* and not answered yet */
    struct task_list tasks;      /* that were admitted and answered, and have not entered yet */
};

struct submission {
    struct submission *next; /* in the list of the submissions */
    /* set by who sends it, and his until it is answered */
    enum job_file_root root;
    const char *text;
    size_t length;
    const char *file; /* for messages, and to name a job after */
    const struct job_setting *settings;
    size_t settings_count;
    const struct job_sources
        *sources;                /* what ${env.X}, lines: and csv: get; NULL: they are refused */
    struct gathering *gathering; /* NULL: it is admitted alone, and enters at once */
    /* What is to be known of it by a host that comes later, kept in a durable store as one with its
     * jobs (origin.h); one line; NULL: nothing. */
    const char *note;
    void *context;
    /* Fills in what is above from what was sent; false with what is wrong in the diagnostics.
     * Before it is read, on the same thread. NULL: it is there. */
    bool (*prepare)(void *context, struct submission *submission);
    /* The answer is known; may free the submission. The sender's thread, the reader's, the
     * receipts' or the store's; does not block, nor call the store. */
    void (*answered)(void *context, struct submission *submission);
    /* the submissions' own, see there */
    uint64_t ticket;             /* no other one has it */
    uint64_t round;              /* of tries in which it is tried; 0: it does not wait */
    struct submission *place;    /* what holds its place while it is stored; NULL: nothing does */
    bool is_place;               /* it holds the place of one that was sent */
    enum submission_stand stand; /* of what holds a place, guarded by the submissions' lock */
    bool is_left;                /* so: STORING, and the line has closed */
    uint64_t aside_tasks;        /* of what holds a place: counted as put aside */
    /* to be read when it is answered */
    enum submission_answer answer;
    struct job **jobs; /* as long as answered runs, none of them goes */
    size_t jobs_count;
    uint64_t tasks_count;
    struct diagnostics diagnostics;
    /* the receipts' */
    struct store_wait wait;
    size_t jobs_durable; /* so many of its jobs are */
    bool is_lost;        /* one of them never will be */
    struct task_list tasks;
    /* To be read when it is answered: why it was not admitted. Last: what is before it is zeroed to
     * begin with. */
    char refusal[SUBMISSION_REFUSAL_BYTES];
};

/* Makes an empty one. */
void gathering_init(struct gathering *gathering);

/* Makes a submission ready, for a text that is borrowed until it is answered. */
void submission_init(struct submission *submission, enum job_file_root root, const char *text,
                     size_t length);

/* Frees what a submission has in it, but for its jobs. */
void submission_fini(struct submission *submission);

/* Reads the text into jobs that keep their tasks, from the pool; the options' root, settings and
 * sources are the submission's. False with an answer; then the jobs are to be destroyed. May load
 * plugins. */
bool submission_read(struct submission *submission, const struct job_file_options *options,
                     struct chunk_pool *pool);

/* Forgets what was read and what is wrong with it, so that it can be read again. */
void submission_forget(struct submission *submission);
