/* What a monitor and its host tell each other. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/lifeline.h"

static int monitor_fd, host_fd;

static void open_pair(void)
{
    cr_assert(lifeline_pair(&monitor_fd, &host_fd));
}

static bool is_same_file(int one, int other)
{
    struct stat a, b;

    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

TestSuite(lifeline, .init = open_pair);

Test(lifeline, words_arrive_in_order_each_with_the_descriptor_that_was_sent_with_it)
{
    struct lifeline_word word = {.kind = LIFELINE_LISTENS};
    int pipe_fds[2], fd;

    cr_assert(eq(int, pipe(pipe_fds), 0));
    lifeline_tell(host_fd, &word, pipe_fds[0]);
    word = (struct lifeline_word){.kind = LIFELINE_READY, .log_level = 2, .log_format = 1};
    lifeline_tell(host_fd, &word, -1);

    cr_assert(eq(int, lifeline_hear(monitor_fd, &word, &fd), LIFELINE_WORD));
    cr_expect(eq(int, word.kind, LIFELINE_LISTENS));
    cr_expect(is_same_file(fd, pipe_fds[0]));
    cr_assert(eq(int, lifeline_hear(monitor_fd, &word, &fd), LIFELINE_WORD));
    cr_expect(eq(int, word.kind, LIFELINE_READY));
    cr_expect(eq(int, word.log_level, 2));
    cr_expect(eq(int, word.log_format, 1));
    cr_expect(eq(int, fd, -1));
    cr_expect(eq(int, lifeline_hear(monitor_fd, &word, &fd), LIFELINE_SILENCE));
}

Test(lifeline, what_was_said_before_the_end_is_heard_and_then_the_end)
{
    struct lifeline_word word = {.kind = LIFELINE_STOPS};
    int fd;

    lifeline_tell(host_fd, &word, -1);
    close(host_fd);
    cr_expect(eq(int, lifeline_hear(monitor_fd, &word, &fd), LIFELINE_WORD));
    cr_expect(eq(int, lifeline_hear(monitor_fd, &word, &fd), LIFELINE_OVER));
    lifeline_tell(monitor_fd, &word, -1); /* to nobody */
}

Test(lifeline, a_process_without_one_is_no_host)
{
    cr_expect(eq(int, lifeline_of_host(), -1));
    cr_expect(eq(int, lifeline_monitor(), 0));
    cr_expect(not(lifeline_take()));
    cr_expect(eq(int, lifeline_of_host(), -1));
}
