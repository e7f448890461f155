#include <criterion/criterion.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/loop.h"
#include "support/thread.h"

struct seen {
    struct loop *loop;
    int signals, last_signal, last_code;
    int deadlines, wakes, reads;
    int64_t deadline_ns;
    int pipe_ends[2];
};

static void on_signal(void *context, const struct signalfd_siginfo *info)
{
    struct seen *seen = context;
    seen->signals++;
    seen->last_signal = (int)info->ssi_signo;
    seen->last_code = info->ssi_code;
    loop_stop(seen->loop);
}

static void on_deadline(void *context, int64_t now_ns)
{
    struct seen *seen = context;
    seen->deadlines++;
    cr_assert_geq(now_ns, seen->deadline_ns);
    loop_stop(seen->loop);
}

static void on_wake(void *context)
{
    struct seen *seen = context;
    seen->wakes++;
    loop_stop(seen->loop);
}

static void on_readable(void *context, uint32_t events)
{
    struct seen *seen = context;
    char byte;
    cr_assert(events & EPOLLIN);
    cr_assert_eq(read(seen->pipe_ends[0], &byte, 1), 1);
    seen->reads++;
    loop_remove(seen->loop, seen->pipe_ends[0]);
    loop_wake(seen->loop);
}

static void seen_init(struct seen *seen)
{
    static struct loop_handlers handlers = {NULL, on_signal, on_deadline, on_wake};
    struct error error;
    sigset_t signals;

    *seen = (struct seen){.loop = NULL};
    handlers.context = seen;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    seen->loop = loop_create(&signals, &handlers, &error);
    cr_assert_not_null(seen->loop, "%s", error.message);
    cr_assert_eq(pipe(seen->pipe_ends), 0);
}

static void seen_fini(struct seen *seen)
{
    close(seen->pipe_ends[0]);
    close(seen->pipe_ends[1]);
    loop_destroy(&seen->loop);
    cr_assert_null(seen->loop);
    loop_destroy(&seen->loop);
}

Test(loop, hands_over_a_signal_with_who_sent_it, .timeout = 60)
{
    struct seen seen;
    seen_init(&seen);
    kill(getpid(), SIGUSR1);
    loop_run(seen.loop);
    cr_assert_eq(seen.signals, 1);
    cr_assert_eq(seen.last_signal, SIGUSR1);
    cr_assert_eq(seen.last_code, SI_USER);
    seen_fini(&seen);
}

Test(loop, calls_once_when_the_deadline_has_passed, .timeout = 60)
{
    struct seen seen;
    seen_init(&seen);
    seen.deadline_ns = clock_now_ns() + 2 * NS_PER_MS;
    loop_set_deadline(seen.loop, seen.deadline_ns);
    loop_run(seen.loop);
    loop_wake(seen.loop);
    loop_run(seen.loop);
    cr_assert_eq(seen.deadlines, 1);
    cr_assert_eq(seen.wakes, 1);
    seen_fini(&seen);
}

Test(loop, a_deadline_in_the_past_is_due_at_once, .timeout = 60)
{
    struct seen seen;
    seen_init(&seen);
    loop_set_deadline(seen.loop, 0);
    loop_run(seen.loop);
    cr_assert_eq(seen.deadlines, 1);
    seen_fini(&seen);
}

Test(loop, a_deadline_that_was_taken_back_is_not_called, .timeout = 60)
{
    struct seen seen;
    seen_init(&seen);
    loop_set_deadline(seen.loop, 0);
    loop_set_deadline(seen.loop, CLOCK_NEVER_NS);
    loop_wake(seen.loop);
    loop_run(seen.loop);
    cr_assert_eq(seen.deadlines, 0);
    cr_assert_eq(seen.wakes, 1);
    seen_fini(&seen);
}

static void wake_it(void *argument)
{
    for (int i = 0; i < 100; i++)
        loop_wake(argument);
}

Test(loop, is_woken_from_another_thread, .timeout = 60)
{
    struct seen seen;
    struct thread thread;
    seen_init(&seen);
    cr_assert(thread_start(&thread, "waker", wake_it, seen.loop, NULL));
    loop_run(seen.loop);
    thread_join(&thread);
    cr_assert_eq(seen.wakes, 1);
    seen_fini(&seen);
}

Test(loop, forgets_a_descriptor_inside_its_own_handler, .timeout = 60)
{
    struct seen seen;
    struct error error;
    seen_init(&seen);
    struct loop_watch watch = {seen.pipe_ends[0], EPOLLIN, on_readable, &seen};
    cr_assert(loop_add(seen.loop, &watch, &error), "%s", error.message);
    cr_assert_eq(write(seen.pipe_ends[1], "ab", 2), 2);
    loop_run(seen.loop);
    cr_assert_eq(seen.reads, 1);
    cr_assert_eq(seen.wakes, 1);
    seen_fini(&seen);
}

static void remove_the_other(void *context, uint32_t events)
{
    struct seen *seen = context;
    (void)events;
    seen->reads++;
    loop_remove(seen->loop, seen->pipe_ends[0]);
    loop_remove(seen->loop, seen->pipe_ends[1]);
    loop_wake(seen->loop);
}

Test(loop, calls_no_handler_of_what_was_removed_a_moment_ago, .timeout = 60)
{
    struct seen seen;
    seen_init(&seen);
    cr_assert_eq(write(seen.pipe_ends[1], "a", 1), 1);
    /* Both ends are ready at once, and whoever comes first removes both. */
    cr_assert(loop_add(seen.loop,
                       &(struct loop_watch){seen.pipe_ends[0], EPOLLIN, remove_the_other, &seen},
                       NULL));
    cr_assert(loop_add(seen.loop,
                       &(struct loop_watch){seen.pipe_ends[1], EPOLLOUT, remove_the_other, &seen},
                       NULL));
    loop_run(seen.loop);
    cr_assert_eq(seen.reads, 1);
    seen_fini(&seen);
}

Test(loop, refuses_a_descriptor_that_is_not_open)
{
    struct seen seen;
    struct error error;
    seen_init(&seen);
    struct loop_watch watch = {1000, EPOLLIN, on_readable, &seen};
    cr_assert_not(loop_add(seen.loop, &watch, &error));
    cr_assert_str_eq(error.message, "cannot watch descriptor 1000: Bad file descriptor");
    seen_fini(&seen);
}

/* Calls that note the order in which they are made. */
struct noted_call {
    struct loop_call call;
    int number;
};

static int noted[8], noted_count;

static void note(struct loop_call *call)
{
    noted[noted_count++] = ((struct noted_call *)call)->number;
}

static void call_it(void *argument)
{
    static struct noted_call calls[] = {{{NULL, note}, 1}, {{NULL, note}, 2}, {{NULL, note}, 3}};
    for (size_t i = 0; i < 3; i++)
        cr_assert(loop_call(argument, &calls[i].call));
}

Test(loop, makes_the_calls_of_other_threads_in_order, .timeout = 60)
{
    struct seen seen;
    struct thread thread;
    struct error error;
    seen_init(&seen);
    cr_assert(thread_start(&thread, "caller", call_it, seen.loop, &error));
    while (noted_count < 3)
        loop_run(seen.loop); /* each wake stops it */
    thread_join(&thread);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(noted[i], i + 1);
    seen_fini(&seen);
}

Test(loop, makes_the_calls_that_are_left_and_then_takes_none, .timeout = 60)
{
    struct seen seen;
    struct noted_call late = {{NULL, note}, 4};
    seen_init(&seen);
    call_it(seen.loop);
    loop_end_calls(seen.loop);
    cr_assert_eq(noted_count, 3);
    cr_assert_not(loop_call(seen.loop, &late.call));
    seen_fini(&seen);
}
