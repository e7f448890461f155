#include "accept/reader.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "support/memory.h"
#include "support/thread.h"

enum { SUBMIT_BATCH = 1024 };

struct reader {
    struct reader_options options;
    int stop_fd; /* an eventfd: can be read while the file in hand is not to be */
    struct thread thread;
    _Atomic int state; /* enum reader_state */
    /* the thread's own: JOB_CHECKED */
    struct job **jobs; /* that were read */
    size_t jobs_count, jobs_capacity;
    struct mutex lock;
    /* guarded by lock */
    const struct job *current; /* that is being read, from a file that may keep waiting */
    bool interrupted;          /* all of it, for good */
};

/* Gives back the reader's own share in the job. */
static void let_go(struct reader *reader, struct job *job)
{
    intake_seal(&reader->options.intake, job);
    if (reader->options.is_sealed != NULL && job->store_key != 0)
        reader->options.is_sealed(reader->options.context, job);
    if (job_count_ended(job, TASK_ACCEPTED, 1))
        reader->options.job_over(reader->options.context, job);
}

static void submit_all(struct reader *reader, struct job *job)
{
    struct task_list batch;
    task_list_init(&batch);
    if (!store_borrows(reader->options.intake.store))
        job_keep_needs(job);
    while (job_take_tasks(job, SUBMIT_BATCH, &batch))
        intake_submit(&reader->options.intake, &batch);
}

/* Turns to the job that is read from a file that may keep waiting, or to none (NULL); what was said
 * of the one before does not hold for it. False if there is to be no more reading. */
static bool turn_to(struct reader *reader, const struct job *job)
{
    eventfd_t count;
    MUTEX_GUARD(&reader->lock);
    reader->current = job;
    if (!reader->interrupted)
        eventfd_read(reader->stop_fd, &count); /* mostly there is nothing to take back */
    return !reader->interrupted;
}

/* A checked job waits until all files are known to be right; a streamed one has been brought in. */
static void keep_or_let_go(struct reader *reader, struct job *job)
{
    if (job->mode == JOB_STREAMED) {
        let_go(reader, job);
        return;
    }
    if (reader->jobs_count == reader->jobs_capacity) {
        reader->jobs_capacity = reader->jobs_capacity > 0 ? 2 * reader->jobs_capacity : 16;
        reader->jobs = memory_grow(reader->jobs, reader->jobs_capacity, sizeof(struct job *));
    }
    reader->jobs[reader->jobs_count++] = job;
}

static void read_document(struct reader *reader, struct reader_input *input, struct job_file *file)
{
    const struct reader_options *options = &reader->options;
    struct job *job = options->begin_job(options->context, input);
    turn_to(reader, job_file_waits(file) ? job : NULL);
    job_file_read(file, job);
    turn_to(reader, NULL);
    if (options->mode == JOB_CHECKED && options->was_read != NULL)
        options->was_read(options->context, job, &input->diagnostics);
    input->jobs_count++;
    input->tasks_count += job->tasks_count;
    keep_or_let_go(reader, job);
}

static enum job_file_answer read_documents(struct reader *reader, struct reader_input *input)
{
    struct job_file_options *options = &reader->options.file;
    options->settings = input->settings;
    options->settings_count = input->settings_count;
    struct job_file *file =
        job_file_open(input->fd, reader->options.mode, options, &input->diagnostics);
    while (job_file_next(file))
        read_document(reader, input, file);
    return job_file_close(&file);
}

static enum reader_state read_input(struct reader *reader, struct reader_input *input)
{
    if (!turn_to(reader, NULL))
        return READER_STOPPED;
    enum job_file_answer answer = read_documents(reader, input);
    bool goes_on = turn_to(reader, NULL);
    switch (answer) {
    case JOB_FILE_RIGHT:
        return READER_DONE;
    case JOB_FILE_WRONG:
        return READER_INVALID;
    case JOB_FILE_STOPPED: /* if it was this file alone, that is no reason to leave the others */
        return goes_on ? READER_DONE : READER_STOPPED;
    }
    return READER_INVALID;
}

/* All errors of all files are found before anything runs. */
static enum reader_state read_checked(struct reader *reader)
{
    const struct reader_options *options = &reader->options;
    enum reader_state state = READER_DONE;
    for (size_t i = 0; i < options->count && state != READER_STOPPED; i++) {
        enum reader_state one = read_input(reader, &options->inputs[i]);
        state = one == READER_DONE ? state : one;
    }
    for (size_t i = 0; i < reader->jobs_count; i++) {
        if (state == READER_DONE)
            submit_all(reader, reader->jobs[i]);
        let_go(reader, reader->jobs[i]);
    }
    return state;
}

static enum reader_state read_streamed(struct reader *reader)
{
    const struct reader_options *options = &reader->options;
    enum reader_state state = READER_DONE;
    for (size_t i = 0; i < options->count && state == READER_DONE; i++)
        state = read_input(reader, &options->inputs[i]);
    return state;
}

static bool take(void *context, struct task_list *tasks)
{
    struct reader *reader = context;
    return intake_submit(&reader->options.intake, tasks);
}

static void reader_run(void *argument)
{
    struct reader *reader = argument;
    enum reader_state state = READER_INVALID;
    switch (reader->options.mode) {
    case JOB_CHECKED:
        state = read_checked(reader);
        break;
    case JOB_STREAMED:
        state = read_streamed(reader);
        break;
    }
    atomic_store(&reader->state, state);
    reader->options.done(reader->options.context);
}

static void reader_free(struct reader *reader)
{
    if (reader->stop_fd >= 0)
        close(reader->stop_fd);
    mutex_fini(&reader->lock);
    free(reader->jobs);
    free(reader);
}

struct reader *reader_start(const struct reader_options *options, struct error *error)
{
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        abort();
    reader->options = *options;
    reader->options.file.take = take;
    reader->options.file.context = reader;
    mutex_init(&reader->lock);
    reader->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    reader->options.file.stop_fd = reader->stop_fd;
    bool started = reader->stop_fd >= 0
                       ? thread_start(&reader->thread, "reader", reader_run, reader, error)
                       : error_errno(error, "reader", "cannot make an event descriptor");
    if (started)
        return reader;
    reader_free(reader);
    return NULL;
}

void reader_set_weight_capacity(struct reader *reader, int32_t capacity)
{
    atomic_store(&reader->options.file.weight_capacity, capacity);
}

enum reader_state reader_state(struct reader *reader)
{
    return (enum reader_state)atomic_load(&reader->state);
}

void reader_interrupt(struct reader *reader, const struct job *job)
{
    MUTEX_GUARD(&reader->lock);
    if (job == NULL)
        reader->interrupted = true;
    if (job == NULL || job == reader->current)
        eventfd_write(reader->stop_fd, 1);
}

void reader_stop(struct reader **reader)
{
    if (*reader == NULL)
        return;
    thread_join(&(*reader)->thread);
    reader_free(*reader);
    *reader = NULL;
}
