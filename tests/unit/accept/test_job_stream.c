/* A streamed job file: tasks are handed on while it is read. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accept/job_file.h"
#include "support/buffer.h"
#include "support/cleanup.h"

/* A job that is read from a pipe on a thread of its own; the test writes into it. */
struct stream {
    int into, from;
    int taken_into, taken_from; /* a byte for each time tasks were handed on: how many */
    uint32_t wanted;            /* no more after that many tasks */
    uint32_t taken;
    enum job_file_answer answer;
    int stop_fd;
    struct chunk_pool pool;
    enum job_mode mode;
    struct job_list jobs;
    struct diagnostics diagnostics;
    pthread_t thread;
};

static bool take(void *context, struct task_list *tasks)
{
    struct stream *stream = context;
    unsigned char count = (unsigned char)tasks->count;
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;) {
        stream->taken++;
        chunk_release(task->chunk, 1);
    }
    cr_assert(eq(long, write(stream->taken_into, &count, 1), 1));
    return stream->taken < stream->wanted;
}

static void *read_all(void *argument)
{
    struct stream *stream = argument;
    const struct job_file_options options = {.weight_capacity = 100,
                                             .default_timeout_ns = 1,
                                             .take = take,
                                             .context = stream,
                                             .stop_fd = stream->stop_fd};
    struct job_file *file =
        job_file_open(stream->from, stream->mode, &options, &stream->diagnostics);
    while (job_file_next(file)) {
        struct job *job = job_create(&stream->pool, "job", "-", stream->mode);
        job_list_add(&stream->jobs, job);
        job_file_read(file, job);
    }
    stream->answer = job_file_close(&file);
    close(stream->taken_into);
    return NULL;
}

static void stream_start_as(struct stream *stream, enum job_mode mode)
{
    int bytes[2], taken[2];
    *stream =
        (struct stream){.mode = mode, .wanted = UINT32_MAX, .stop_fd = eventfd(0, EFD_CLOEXEC)};
    cr_assert(ge(int, stream->stop_fd, 0));
    cr_assert(eq(int, pipe(bytes), 0));
    cr_assert(eq(int, pipe(taken), 0));
    stream->from = bytes[0];
    stream->into = bytes[1];
    stream->taken_from = taken[0];
    stream->taken_into = taken[1];
    chunk_pool_init(&stream->pool);
    diagnostics_init(&stream->diagnostics, "-");
    cr_assert(eq(int, pthread_create(&stream->thread, NULL, read_all, stream), 0));
}

static void stream_start(struct stream *stream)
{
    stream_start_as(stream, JOB_STREAMED);
}

static void stream_write(struct stream *stream, const char *text)
{
    cr_assert(eq(long, write(stream->into, text, strlen(text)), (long)strlen(text)));
}

/* How many tasks were handed on next; 0 when the reader is done. */
static int stream_taken(struct stream *stream)
{
    unsigned char count = 0;
    return read(stream->taken_from, &count, 1) == 1 ? count : 0;
}

static void stream_end(struct stream *stream)
{
    if (stream->into >= 0)
        close(stream->into);
    stream->into = -1;
    pthread_join(stream->thread, NULL);
}

static void stream_free(struct stream *stream)
{
    close(stream->from);
    close(stream->stop_fd);
    close(stream->taken_from);
    job_list_fini(&stream->jobs);
    chunk_pool_fini(&stream->pool);
    diagnostics_fini(&stream->diagnostics);
}

/* libyaml looks four characters ahead of the end of a task. */
Test(job_stream, what_is_there_is_handed_on_before_the_reader_waits, .timeout = 60)
{
    struct stream stream;
    stream_start(&stream);
    stream_write(&stream, "version: 1\ntasks:\n- {type: noop}\n- {type: noop}\n- {typ");
    cr_assert(eq(int, stream_taken(&stream), 2));
    stream_write(&stream, "e: noop}\n");
    stream_end(&stream);
    cr_assert(eq(int, stream_taken(&stream), 1));
    cr_assert(eq(int, stream_taken(&stream), 0));
    cr_assert(eq(int, stream.answer, JOB_FILE_RIGHT));
    stream_free(&stream);
}

Test(job_stream, full_batches_are_handed_on_at_once, .timeout = 60)
{
    struct stream stream;
    struct buffer text CLEANUP(buffer_fini) = BUFFER_EMPTY;
    buffer_puts(&text, "version: 1\ntasks:\n");
    for (int i = 0; i < 130; i++)
        buffer_puts(&text, "- {type: noop}\n");
    stream_start(&stream);
    stream_write(&stream, buffer_text(&text));
    stream_end(&stream);
    int most = 0, sum = 0;
    for (int taken; (taken = stream_taken(&stream)) > 0; sum += taken)
        most = taken > most ? taken : most;
    cr_assert(eq(int, most, 64));
    cr_assert(eq(int, sum, 130));
    stream_free(&stream);
}

Test(job_stream, an_error_ends_the_reading_and_what_came_before_is_handed_on, .timeout = 60)
{
    struct stream stream;
    stream_start(&stream);
    stream_write(&stream, "version: 1\ntasks:\n- {type: noop}\n- {type: nop}\n- {type: noop}\n");
    stream_end(&stream);
    cr_assert(eq(int, stream.answer, JOB_FILE_WRONG));
    cr_assert(eq(u32, stream.taken, 1));
    cr_assert(eq(sz, stream.diagnostics.found_count, 1));
    cr_assert(eq(str, stream.diagnostics.kept[0].excerpt, "- {type: nop}"));
    stream_free(&stream);
}

Test(job_stream, the_line_of_an_error_far_behind_in_a_pipe_is_still_there, .timeout = 60)
{
    struct stream stream;
    stream_start(&stream);
    stream_write(&stream, "version: 1\ntasks:\n");
    for (int i = 0; i < 50000; i++)
        stream_write(&stream, "- {type: noop, params: {n: 1}}\n");
    stream_write(&stream, "- {type: noop, colour: red}\n");
    stream_end(&stream);
    cr_assert(eq(u32, stream.taken, 50000));
    cr_assert(eq(u32, stream.diagnostics.kept[0].place.line, 50003));
    cr_assert(eq(str, stream.diagnostics.kept[0].excerpt, "- {type: noop, colour: red}"));
    stream_free(&stream);
}

Test(job_stream, reading_ends_when_nothing_more_is_wanted, .timeout = 60)
{
    struct stream stream;
    stream_start(&stream);
    stream.wanted = 1;
    stream_write(&stream, "version: 1\ntasks:\n- {type: noop}\n- {typ");
    cr_assert(eq(int, stream_taken(&stream), 1));
    pthread_join(stream.thread, NULL); /* although the pipe is open */
    cr_assert(eq(int, stream.answer, JOB_FILE_RIGHT));
    close(stream.into);
    stream_free(&stream);
}

Test(job_stream, a_reader_that_waits_can_be_stopped, .timeout = 60)
{
    struct stream stream;
    stream_start(&stream);
    stream_write(&stream, "version: 1\ntasks:\n- {type: noop}\n- {typ");
    cr_assert(eq(int, stream_taken(&stream), 1));
    eventfd_write(stream.stop_fd, 1);
    pthread_join(stream.thread, NULL); /* although the pipe is open */
    cr_assert(eq(int, stream.answer, JOB_FILE_STOPPED));
    cr_assert(eq(sz, stream.diagnostics.found_count, 0));
    close(stream.into);
    stream_free(&stream);
}

Test(job_stream, a_pipe_that_is_checked_first_can_be_stopped, .timeout = 60)
{
    struct stream stream;
    stream_start_as(&stream, JOB_CHECKED);
    stream_write(&stream, "version: 1\ntasks:\n- {type: nop}\n");
    eventfd_write(stream.stop_fd, 1);
    pthread_join(stream.thread, NULL); /* although the pipe is open */
    cr_assert(eq(int, stream.answer, JOB_FILE_STOPPED));
    cr_assert(eq(sz, stream.diagnostics.found_count, 0));
    close(stream.into);
    stream_free(&stream);
}

Test(job_stream, a_regular_file_can_be_stopped)
{
    static const char text[] = "version: 1\ntasks:\n- {type: nop}\n";
    struct stream stream = {.from = memfd_create("job", MFD_CLOEXEC),
                            .stop_fd = eventfd(1, EFD_CLOEXEC),
                            .taken_into = -1,
                            .taken_from = -1};
    cr_assert(eq(long, write(stream.from, text, sizeof text - 1), sizeof text - 1));
    chunk_pool_init(&stream.pool);
    diagnostics_init(&stream.diagnostics, "job.yaml");
    read_all(&stream);
    cr_assert(eq(int, stream.answer, JOB_FILE_STOPPED));
    cr_assert(eq(sz, stream.diagnostics.found_count, 0));
    stream_free(&stream);
}
