#include <criterion/criterion.h>
#include <signal.h>

#include "support/clock.h"
#include "support/thread.h"

struct seen {
    struct mutex mutex;
    struct cond cond;
    int count;
    char name[16];
    sigset_t blocked;
};

static void look_around(void *argument)
{
    struct seen *seen = argument;
    pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
    pthread_sigmask(SIG_BLOCK, NULL, &seen->blocked);
}

static void count_up(void *argument)
{
    struct seen *seen = argument;
    for (int i = 0; i < 1000; i++) {
        MUTEX_GUARD(&seen->mutex);
        seen->count++;
        cond_broadcast(&seen->cond);
    }
}

static void seen_init(struct seen *seen)
{
    *seen = (struct seen){.count = 0};
    mutex_init(&seen->mutex);
    cond_init(&seen->cond);
}

static void seen_fini(struct seen *seen)
{
    cond_fini(&seen->cond);
    mutex_fini(&seen->mutex);
}

Test(thread, has_its_name_cut_to_what_the_system_takes)
{
    struct seen seen = {.count = 0};
    struct thread thread;
    cr_assert(thread_start(&thread, "worker/http.request/12", look_around, &seen, NULL));
    thread_join(&thread);
    cr_assert_str_eq(seen.name, "worker/http.req");
}

Test(thread, blocks_every_signal_but_those_of_its_own_faults)
{
    struct seen seen = {.count = 0};
    struct thread thread;
    cr_assert(thread_start(&thread, "looker", look_around, &seen, NULL));
    thread_join(&thread);
    cr_assert(sigismember(&seen.blocked, SIGTERM));
    cr_assert(sigismember(&seen.blocked, SIGHUP));
    cr_assert(sigismember(&seen.blocked, SIGCHLD));
    cr_assert_not(sigismember(&seen.blocked, SIGSEGV));
    cr_assert_not(sigismember(&seen.blocked, SIGABRT));
}

Test(thread, starting_one_leaves_the_signals_of_the_starter_alone)
{
    struct seen seen = {.count = 0};
    struct thread thread;
    sigset_t after;
    cr_assert(thread_start(&thread, "looker", look_around, &seen, NULL));
    thread_join(&thread);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    cr_assert_not(sigismember(&after, SIGTERM));
}

Test(thread, a_guard_holds_the_mutex_to_the_end_of_its_scope)
{
    struct seen seen;
    struct thread threads[4];
    seen_init(&seen);
    for (int i = 0; i < 4; i++)
        cr_assert(thread_start(&threads[i], "counter", count_up, &seen, NULL));
    mutex_lock(&seen.mutex);
    while (seen.count < 4000)
        cond_wait(&seen.cond, &seen.mutex);
    mutex_unlock(&seen.mutex);
    for (int i = 0; i < 4; i++)
        thread_join(&threads[i]);
    cr_assert_eq(seen.count, 4000);
    seen_fini(&seen);
}

Test(thread, waiting_ends_at_the_deadline)
{
    struct seen seen;
    seen_init(&seen);
    int64_t deadline_ns = clock_now_ns() + 5 * NS_PER_MS;
    mutex_lock(&seen.mutex);
    while (cond_wait_until(&seen.cond, &seen.mutex, deadline_ns))
        ;
    mutex_unlock(&seen.mutex);
    cr_assert_geq(clock_now_ns(), deadline_ns);
    seen_fini(&seen);
}

Test(thread, a_deadline_that_never_comes_does_not_end_the_waiting)
{
    struct seen seen;
    struct thread thread;
    seen_init(&seen);
    cr_assert(thread_start(&thread, "counter", count_up, &seen, NULL));
    mutex_lock(&seen.mutex);
    while (seen.count < 1000)
        cr_assert(cond_wait_until(&seen.cond, &seen.mutex, CLOCK_NEVER_NS));
    mutex_unlock(&seen.mutex);
    thread_join(&thread);
    seen_fini(&seen);
}
