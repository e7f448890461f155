#include "read_job.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/clock.h"

void read_job_bytes(struct read_job *read, const char *bytes, size_t length)
{
    const struct job_file_options options = {
        .weight_capacity = 100, .default_timeout_ns = 3600 * NS_PER_S, .stop_fd = -1};
    int fd = memfd_create("job", 0);
    if (write(fd, bytes, length) != (ssize_t)length)
        perror("memfd");
    chunk_pool_init(&read->pool);
    read->jobs = (struct job_list){0};
    diagnostics_init(&read->diagnostics, "job.yaml");
    struct job_file *file = job_file_open(fd, JOB_CHECKED, &options, &read->diagnostics);
    while (job_file_next(file)) {
        struct job *job = job_create(&read->pool, "job", "job.yaml", JOB_CHECKED);
        job_list_add(&read->jobs, job);
        job_file_read(file, job);
    }
    read->right = job_file_close(&file) == JOB_FILE_RIGHT;
    read->job = read->jobs.first;
    close(fd);
}

void read_job_text(struct read_job *read, const char *text)
{
    read_job_bytes(read, text, strlen(text));
}

void read_job_fini(struct read_job *read)
{
    job_list_fini(&read->jobs);
    chunk_pool_fini(&read->pool);
    diagnostics_fini(&read->diagnostics);
}

const struct task *read_job_task(const struct read_job *read, size_t index)
{
    return chunk_task(read->job->chunks[index / CHUNK_TASKS], index % CHUNK_TASKS);
}

const char *read_job_errors(const struct read_job *read)
{
    static char text[64 * 1024];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < read->diagnostics.kept_count; i++) {
        const struct diagnostic *one = &read->diagnostics.kept[i];
        length += (size_t)snprintf(text + length, sizeof text - length, "%u:%u+%u %s %s%s%s\n",
                                   one->place.line, one->place.column, one->place.width, one->code,
                                   one->message, one->hint != NULL ? " = " : "",
                                   one->hint != NULL ? one->hint : "");
    }
    return text;
}
