#include "accept/reader.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "support/thread.h"

enum { SUBMIT_BATCH = 1024 };

struct reader {
    struct reader_options options;
    struct thread thread;
    _Atomic int state; /* enum reader_state */
};

/* Gives back the reader's own share in the job. */
static void let_go(struct reader *reader, struct job *job)
{
    intake_seal(&reader->options.intake, job);
    if (job_count_ended(job, TASK_ACCEPTED, 1))
        reader->options.job_over(reader->options.context, job);
}

static void submit_all(struct reader *reader, struct job *job)
{
    struct task_list batch;
    task_list_init(&batch);
    while (job_take_tasks(job, SUBMIT_BATCH, &batch))
        intake_submit(&reader->options.intake, &batch);
}

static bool read_input(struct reader *reader, struct reader_input *input)
{
    return job_file_read(input->fd, input->job, &reader->options.file, &input->diagnostics);
}

/* All errors of all files are found before anything runs. */
static bool read_checked(struct reader *reader)
{
    const struct reader_options *options = &reader->options;
    bool valid = true;
    for (size_t i = 0; i < options->count; i++)
        valid = read_input(reader, &options->inputs[i]) && valid;
    for (size_t i = 0; i < options->count; i++) {
        if (valid)
            submit_all(reader, options->inputs[i].job);
        let_go(reader, options->inputs[i].job);
    }
    return valid;
}

static bool read_streamed(struct reader *reader)
{
    const struct reader_options *options = &reader->options;
    bool valid = true;
    for (size_t i = 0; i < options->count; i++) {
        valid = valid && read_input(reader, &options->inputs[i]);
        let_go(reader, options->inputs[i].job);
    }
    return valid;
}

static bool take(void *context, struct task_list *tasks)
{
    struct reader *reader = context;
    return intake_submit(&reader->options.intake, tasks);
}

static void reader_run(void *argument)
{
    struct reader *reader = argument;
    bool valid = false;
    switch (reader->options.mode) {
    case JOB_CHECKED:
        valid = read_checked(reader);
        break;
    case JOB_STREAMED:
        valid = read_streamed(reader);
        break;
    }
    atomic_store(&reader->state, valid ? READER_DONE : READER_INVALID);
    reader->options.done(reader->options.context);
}

struct reader *reader_start(const struct reader_options *options, struct error *error)
{
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        abort();
    reader->options = *options;
    reader->options.file.take = take;
    reader->options.file.context = reader;
    if (thread_start(&reader->thread, "reader", reader_run, reader, error))
        return reader;
    free(reader);
    return NULL;
}

enum reader_state reader_state(struct reader *reader)
{
    return (enum reader_state)atomic_load(&reader->state);
}

void reader_stop(struct reader **reader)
{
    if (*reader == NULL)
        return;
    thread_join(&(*reader)->thread);
    free(*reader);
    *reader = NULL;
}
