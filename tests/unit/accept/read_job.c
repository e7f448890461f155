#include "read_job.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/clock.h"

static const struct job_file_options options = {
    .weight_capacity = 100, .default_timeout_ns = 3600 * NS_PER_S, .stop_fd = -1};

static void begin(struct read_job *read)
{
    chunk_pool_init(&read->pool);
    read->jobs = (struct job_list){0};
    diagnostics_init(&read->diagnostics, "job.yaml");
}

static void read_all(struct read_job *read, struct job_file *file)
{
    while (job_file_next(file)) {
        struct job *job = job_create(&read->pool, "job", "job.yaml", JOB_CHECKED);
        job_list_add(&read->jobs, job);
        job_file_read(file, job);
    }
    read->right = job_file_close(&file) == JOB_FILE_RIGHT;
    read->job = read->jobs.first;
}

static uint64_t tasks_of(const struct read_job *read)
{
    uint64_t count = 0;
    for (const struct job *job = read->jobs.first; job != NULL; job = job->next)
        count += job->tasks_count;
    return count;
}

/* What is read from memory has to be the same, to the last excerpt. */
static void compare_with_memory(const struct read_job *read, const char *bytes, size_t length,
                                struct job_file_spare *spare)
{
    struct job_file_options with_spare = options;
    struct read_job again;
    begin(&again);
    with_spare.spare = spare;
    read_all(&again, job_file_open_text(bytes, length, &with_spare, &again.diagnostics));
    char *one = diagnostics_json(&read->diagnostics);
    char *other = diagnostics_json(&again.diagnostics);
    cr_assert_str_eq(one, other);
    cr_assert_eq(read->jobs.count, again.jobs.count);
    cr_assert_eq(tasks_of(read), tasks_of(&again));
    free(one);
    free(other);
    read_job_fini(&again);
}

void read_job_bytes(struct read_job *read, const char *bytes, size_t length)
{
    int fd = memfd_create("job", 0);
    if (write(fd, bytes, length) != (ssize_t)length)
        perror("memfd");
    begin(read);
    read_all(read, job_file_open(fd, JOB_CHECKED, &options, &read->diagnostics));
    close(fd);
    struct job_file_spare spare = {0};
    for (int i = 0; i < 2; i++) /* the second time with the memory of the first */
        compare_with_memory(read, bytes, length, &spare);
    job_file_spare_fini(&spare);
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
