/* The writer: what many threads append arrives whole and in large writes; failures are kept. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../await.h"
#include "serve/writer.h"
#include "support/buffer.h"
#include "support/clock.h"
#include "support/ready.h"
#include "support/thread.h"

enum { PRODUCERS = 4, LINES_EACH = 5000 };

struct producer {
    struct thread thread;
    struct writer *writer;
    int number;
};

static void produce(void *argument)
{
    struct producer *producer = argument;
    char line[64];

    for (int i = 0; i < LINES_EACH; i++) {
        int length = snprintf(line, sizeof(line), "%d:%d\n", producer->number, i);
        writer_append(producer->writer, line, (size_t)length);
    }
}

static void drain(int fd, struct buffer *text)
{
    ssize_t got;

    while ((got = read(fd, buffer_reserve(text, 65536), 65536)) > 0)
        text->length += (size_t)got;
}

/* A pipe is emptied by a thread of its own, for it is smaller than what is written. */
struct drained {
    struct thread thread;
    int fd;
    struct buffer text;
};

static void drain_all(void *argument)
{
    struct drained *drained = argument;
    drain(drained->fd, &drained->text);
}

static struct writer *create(int fd, const char *prefix)
{
    struct error error;
    struct writer *writer = writer_create(fd, prefix, &error);

    cr_assert(writer != NULL, "%s", error.message);
    return writer;
}

/* Each producer's lines are there, whole and in its order. */
static void check_lines(struct buffer *text)
{
    int next[PRODUCERS] = {0};
    const char *at = buffer_text(text);

    for (; *at != '\0'; at = strchr(at, '\n') + 1) {
        int number, i;
        cr_assert(eq(int, sscanf(at, "%d:%d\n", &number, &i), 2));
        cr_assert(eq(int, i, next[number]++));
    }
    for (int i = 0; i < PRODUCERS; i++)
        cr_expect(eq(int, next[i], LINES_EACH));
}

Test(writer, lines_of_several_threads_arrive_whole_and_in_order)
{
    struct producer producers[PRODUCERS];
    struct drained drained = {.text = BUFFER_EMPTY};
    int fds[2];

    cr_assert(eq(int, pipe2(fds, O_CLOEXEC), 0));
    drained.fd = fds[0];
    cr_assert(thread_start(&drained.thread, "drain", drain_all, &drained, NULL));
    struct writer *writer = create(fds[1], NULL);
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.writer = writer, .number = i};
        cr_assert(thread_start(&producers[i].thread, "produce", produce, &producers[i], NULL));
    }
    for (int i = 0; i < PRODUCERS; i++)
        thread_join(&producers[i].thread);
    cr_expect(writer_destroy(&writer, NULL));
    cr_expect(eq(ptr, writer, NULL));
    close(fds[1]);
    thread_join(&drained.thread);
    check_lines(&drained.text);
    buffer_fini(&drained.text);
    close(fds[0]);
}

Test(writer, the_prefix_goes_in_front_of_a_write)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    int fds[2];

    cr_assert(eq(int, pipe2(fds, O_CLOEXEC), 0));
    struct writer *writer = create(fds[1], "<clear>");
    writer_append(writer, "one\n", 4);
    cr_expect(writer_destroy(&writer, NULL));
    close(fds[1]);
    drain(fds[0], &text);
    cr_expect(eq(str, (char *)buffer_text(&text), "<clear>one\n"));
    close(fds[0]);
}

Test(writer, a_failed_write_is_told_at_the_end_and_nobody_waits_for_room)
{
    static char much[WRITER_PENDING_MOST_BYTES + 1];
    struct error error = {0};
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    cr_assert(fd >= 0);
    struct writer *writer = create(fd, NULL);
    for (int i = 0; i < 4; i++)
        writer_append(writer, much, sizeof(much));
    cr_expect(not(writer_destroy(&writer, &error)));
    cr_expect(eq(str, error.message, "No space left on device"));
    close(fd);
}

/* A pipe that nobody reads and a writer that has filled it. */
static struct writer *create_stuck(int fds[2])
{
    static char much[WRITER_PENDING_MOST_BYTES + 1];

    cr_assert(eq(int, pipe2(fds, O_CLOEXEC), 0));
    struct writer *writer = create(fds[1], NULL);
    memset(much, 'x', sizeof(much));
    much[sizeof(much) - 1] = '\n';
    writer_append(writer, much, sizeof(much));
    const struct ready_wish wish = {.fd = fds[1], .events = POLLOUT, .stop_fd = -1};
    AWAIT(ready_wait(&wish) == READY_LATE); /* the writer has taken that, and waits */
    for (int i = 0; i < 2; i++)             /* none of which makes the main thread wait */
        writer_append(writer, much, sizeof(much));
    return writer;
}

Test(writer, the_main_thread_does_not_wait_for_who_does_not_read, .timeout = 60)
{
    struct error error = {0};
    int fds[2];
    struct writer *writer = create_stuck(fds);

    ready_give_up_at(clock_now_ns());
    cr_expect(not(writer_destroy(&writer, &error)));
    cr_expect(eq(str, error.message, "3 lines were dropped: nobody reads"));
    close(fds[0]);
    close(fds[1]);
}

static void append_one(void *writer)
{
    writer_append(writer, "one\n", 4);
}

Test(writer, other_threads_wait_until_the_process_gives_up, .timeout = 60)
{
    struct error error = {0};
    struct thread thread;
    int fds[2];
    struct writer *writer = create_stuck(fds);

    ready_give_up_at(clock_now_ns() + 50 * NS_PER_MS);
    cr_assert(thread_start(&thread, "append", append_one, writer, NULL));
    thread_join(&thread);
    cr_expect(ge(i64, clock_now_ns(), ready_gives_up_ns()));
    cr_expect(not(writer_destroy(&writer, &error)));
    cr_expect(eq(str, error.message, "4 lines were dropped: nobody reads"));
    close(fds[0]);
    close(fds[1]);
}

Test(writer, nothing_to_destroy_is_fine)
{
    struct writer *writer = NULL;

    cr_expect(writer_destroy(&writer, NULL));
}
