#include "accept/job_file/job_reader.h"

#include <string.h>

#include "support/ready.h"

enum { BATCH_TASKS = 64, LOOK_TASKS = 4096 };

void job_reader_begin(struct job_reader *reader, struct job *job)
{
    const size_t first = offsetof(struct job_reader, job);
    memset((char *)reader + first, 0, offsetof(struct job_reader, each.loops) - first);
    reader->job = job;
    task_list_init(&reader->batch);
}

void job_reader_end(struct job_reader *reader)
{
    job_labels_fini(&reader->defaults.labels);
    job_labels_fini(&reader->fields.labels);
    job_needs_fini(&reader->needs);
    job_late_fini(&reader->late);
    name_table_fini(&reader->keys);
    job_vars_fini(&reader->vars);
    job_each_fini(&reader->each);
    job_groups_fini(&reader->groups);
}

bool job_reader_hand_on(struct job_reader *reader)
{
    const struct job_file_options *options = reader->options;
    if (reader->batch.count > 0 && !reader->unwanted)
        reader->unwanted = !options->take(options->context, &reader->batch);
    return !reader->unwanted;
}

bool job_reader_hand_on_full(struct job_reader *reader)
{
    return reader->batch.count < BATCH_TASKS || job_reader_hand_on(reader);
}

bool job_reader_goes_on(struct job_reader *reader)
{
    const struct ready_wish wish = {.fd = -1, .stop_fd = reader->options->stop_fd, .until_ns = 0};
    bool streamed = reader->job->mode == JOB_STREAMED;
    if (streamed ? reader->batch.count < BATCH_TASKS : reader->job->tasks_count % LOOK_TASKS != 0)
        return true;
    reader->interrupted = ready_wait(&wish) == READY_STOPPED;
    return !reader->interrupted && (!streamed || job_reader_hand_on(reader));
}
