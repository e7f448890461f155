#include "accept/submission.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

void gathering_init(struct gathering *gathering)
{
    gathering->read.head = NULL;
    gathering->read.tail = &gathering->read.head;
    task_list_init(&gathering->tasks);
}

void submission_init(struct submission *submission, enum job_file_root root, const char *text,
                     size_t length)
{
    memset(submission, 0, offsetof(struct submission, refusal));
    submission->refusal[0] = '\0';
    submission->root = root;
    submission->text = text;
    submission->length = length;
}

void submission_fini(struct submission *submission)
{
    if (submission->diagnostics.file != NULL)
        diagnostics_fini(&submission->diagnostics);
}

void submission_forget(struct submission *submission)
{
    for (size_t i = 0; i < submission->jobs_count; i++)
        job_destroy(&submission->jobs[i]);
    free(submission->jobs);
    submission->jobs = NULL;
    submission->jobs_count = 0;
    submission->tasks_count = 0;
    submission_fini(submission);
    submission->diagnostics = (struct diagnostics){0};
}

static struct job *make_job(const struct submission *submission, struct chunk_pool *pool)
{
    if (submission->root == JOB_FILE_TASK)
        return job_create_one(pool, NULL, submission->file);
    struct job *job = job_create(pool, NULL, submission->file, JOB_CHECKED);
    job_set_keep(job, JOB_KEEPS_ALL);
    return job;
}

static struct job *begin_job(struct submission *submission, struct chunk_pool *pool)
{
    struct job *job = make_job(submission, pool);
    size_t count = submission->jobs_count + 1;
    job->document = (uint32_t)submission->jobs_count;
    submission->jobs = memory_grow(submission->jobs, count, sizeof(struct job *));
    submission->jobs[submission->jobs_count++] = job;
    return job;
}

static enum job_file_answer read_jobs(struct submission *submission,
                                      const struct job_file_options *common,
                                      struct chunk_pool *pool)
{
    struct job_file_options options = *common;
    options.root = submission->root;
    options.settings = submission->settings;
    options.settings_count = submission->settings_count;
    options.sources = submission->sources != NULL ? submission->sources : &job_sources_none;
    struct job_file *file = job_file_open_text(submission->text, submission->length, &options,
                                               &submission->diagnostics);
    while (job_file_next(file)) {
        struct job *job = begin_job(submission, pool);
        job_file_read(file, job);
        submission->tasks_count += job->tasks_count;
    }
    return job_file_close(&file);
}

/* What was sent may say itself which file it is. */
static bool prepare(struct submission *submission)
{
    const char *before = submission->file;
    if (submission->prepare == NULL)
        return true;
    if (!submission->prepare(submission->context, submission))
        return false;
    if (submission->file != before) {
        diagnostics_fini(&submission->diagnostics);
        diagnostics_init(&submission->diagnostics, submission->file);
    }
    return true;
}

bool submission_read(struct submission *submission, const struct job_file_options *options,
                     struct chunk_pool *pool)
{
    diagnostics_init(&submission->diagnostics, submission->file);
    submission->answer = SUBMISSION_INVALID;
    if (!prepare(submission))
        return false;
    switch (read_jobs(submission, options, pool)) {
    case JOB_FILE_RIGHT:
        return true;
    case JOB_FILE_WRONG:
        return false;
    case JOB_FILE_STOPPED:
        submission->answer = SUBMISSION_STOPPING;
        return false;
    }
    return false;
}
