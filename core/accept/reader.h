/* reader: one thread that reads job files, document by document, into jobs and brings their tasks
 * into the host. A user's
 * file may be endless, slow or a terminal: so main never reads one. Created by the host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "accept/intake.h"
#include "accept/job.h"
#include "accept/job_file.h"
#include "support/diagnostic.h"
#include "support/error.h"

struct reader;

/* One job file. */
struct reader_input {
    const char *file;                   /* as the user named it; "-" is standard input */
    int fd;                             /* open; stays the caller's */
    const struct job_setting *settings; /* of its variables, from outside */
    size_t settings_count;
    /* to be read when the reader is done */
    size_t jobs_count;
    uint64_t tasks_count;           /* of all its jobs */
    struct diagnostics diagnostics; /* what is wrong in it */
};

struct reader_options {
    struct job_file_options file; /* its settings, callback and stop_fd are the reader's own */
    struct intake intake;
    enum job_mode mode; /* JOB_CHECKED: nothing is brought in before all files are right */
    struct reader_input *inputs;
    size_t count;
    void *context;
    /* Makes the job of the next document of an input, of this mode; it stays the host's. May
     * block. */
    struct job *(*begin_job)(void *context, const struct reader_input *input);
    /* A checked job was read; more may be wrong with it. NULL: nothing can be. */
    void (*was_read)(void *context, const struct job *job, struct diagnostics *diagnostics);
    /* All tasks of a job are in the store. NULL: nobody listens. May block. */
    void (*is_sealed)(void *context, struct job *job);
    void (*job_over)(void *context, struct job *job); /* it had no task left when it was read */
    void (*done)(void *context);                      /* the reader will touch nothing any more */
};

enum reader_state {
    READER_AT_WORK,
    READER_DONE,
    READER_INVALID, /* a file was wrong: nothing (streamed: nothing behind it) was brought in */
    READER_STOPPED, /* interrupted: nothing (streamed: nothing more) was brought in */
};

/* Starts the thread; NULL with a message. The options are copied, what they point to is
 * borrowed. */
struct reader *reader_start(const struct reader_options *options, struct error *error);

/* Changes the weight that a task may have at most, for what is read from now on. Any thread. */
void reader_set_weight_capacity(struct reader *reader, int32_t capacity);

/* Returns how far it is. Any thread. */
enum reader_state reader_state(struct reader *reader);

/* Ends the reading of all files, for good, also while it waits for input; or (a job) of the file
 * that it is reading into a streamed job of which nothing more is wanted, if it may have to wait
 * for that file. What was read before still reaches the intake. Any thread; does not block. */
void reader_interrupt(struct reader *reader, const struct job *job);

/* Joins the thread, which is done or interrupted, and frees it; clears the pointer; accepts
 * NULL. */
void reader_stop(struct reader **reader);
