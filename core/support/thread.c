#include "support/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/clock.h"

static void must_be_zero(int result, const char *what)
{
    if (result == 0)
        return;
    char text[128];
    fprintf(stderr, "sluice: %s: %s\n", what, strerror_r(result, text, sizeof(text)));
    abort();
}

void mutex_init(struct mutex *mutex)
{
    must_be_zero(pthread_mutex_init(&mutex->handle, NULL), "mutex_init");
}

void mutex_fini(struct mutex *mutex)
{
    must_be_zero(pthread_mutex_destroy(&mutex->handle), "mutex_fini");
}

void cond_init(struct cond *cond)
{
    pthread_condattr_t attributes;

    must_be_zero(pthread_condattr_init(&attributes), "cond_init");
    must_be_zero(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), "cond_init");
    must_be_zero(pthread_cond_init(&cond->handle, &attributes), "cond_init");
    pthread_condattr_destroy(&attributes);
}

void cond_fini(struct cond *cond)
{
    must_be_zero(pthread_cond_destroy(&cond->handle), "cond_fini");
}

void cond_wait(struct cond *cond, struct mutex *mutex)
{
    must_be_zero(pthread_cond_wait(&cond->handle, &mutex->handle), "cond_wait");
}

static struct timespec timespec_of(int64_t ns)
{
    if (ns < 0)
        ns = 0;
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

bool cond_wait_until(struct cond *cond, struct mutex *mutex, int64_t deadline_ns)
{
    struct timespec deadline = timespec_of(deadline_ns);
    int result = pthread_cond_timedwait(&cond->handle, &mutex->handle, &deadline);

    if (result == ETIMEDOUT)
        return false;
    must_be_zero(result, "cond_wait_until");
    return true;
}

void cond_signal(struct cond *cond)
{
    must_be_zero(pthread_cond_signal(&cond->handle), "cond_signal");
}

void cond_broadcast(struct cond *cond)
{
    must_be_zero(pthread_cond_broadcast(&cond->handle), "cond_broadcast");
}

static struct mutex threads_lock = {PTHREAD_MUTEX_INITIALIZER};
static struct thread *threads; /* guarded by threads_lock */

static void add_to_list(struct thread *thread)
{
    MUTEX_GUARD(&threads_lock);
    thread->id = gettid();
    thread->next = threads;
    thread->place = &threads;
    if (threads != NULL)
        threads->place = &thread->next;
    threads = thread;
}

static void remove_from_list(struct thread *thread)
{
    MUTEX_GUARD(&threads_lock);
    *thread->place = thread->next;
    if (thread->next != NULL)
        thread->next->place = thread->place;
}

bool thread_is_ours(pid_t id)
{
    if (id == getpid())
        return true;
    MUTEX_GUARD(&threads_lock);
    const struct thread *thread = threads;
    while (thread != NULL && thread->id != id)
        thread = thread->next;
    return thread != NULL;
}

static void *thread_main(void *argument)
{
    struct thread *thread = argument;

    add_to_list(thread);
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->argument);
    return NULL;
}

/* A signal for the process must reach the control loop and no other thread; a synchronous one
 * belongs to its thread, and the kernel kills the process if that has it blocked. */
static void signals_of_a_thread(sigset_t *signals)
{
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};

    sigfillset(signals);
    for (size_t i = 0; i < sizeof(synchronous) / sizeof(synchronous[0]); i++)
        sigdelset(signals, synchronous[i]);
}

bool thread_start(struct thread *thread, const char *name, void (*run)(void *), void *argument,
                  struct error *error)
{
    sigset_t blocked, before;

    thread->run = run;
    thread->argument = argument;
    snprintf(thread->name, sizeof(thread->name), "%s", name);

    /* Blocked before the thread exists, because it inherits the mask: there is no moment in which
     * it could catch one. */
    signals_of_a_thread(&blocked);
    must_be_zero(pthread_sigmask(SIG_SETMASK, &blocked, &before), "thread_start");
    int result = pthread_create(&thread->handle, NULL, thread_main, thread);
    must_be_zero(pthread_sigmask(SIG_SETMASK, &before, NULL), "thread_start");

    if (result == 0)
        return true;
    errno = result;
    return error_errno(error, "thread_start", "cannot start thread '%s'", thread->name);
}

bool thread_is_main(void)
{
    return gettid() == getpid();
}

clockid_t thread_cpu_clock(void)
{
    clockid_t clock;

    must_be_zero(pthread_getcpuclockid(pthread_self(), &clock), "thread_cpu_clock");
    return clock;
}

bool thread_cpu_ns(clockid_t clock, int64_t *ns)
{
    struct timespec used;

    if (clock_gettime(clock, &used) != 0)
        return false;
    *ns = used.tv_sec * NS_PER_S + used.tv_nsec;
    return true;
}

void thread_join(struct thread *thread)
{
    must_be_zero(pthread_join(thread->handle, NULL), "thread_join");
    remove_from_list(thread);
}

#ifdef __SANITIZE_THREAD__
/* ThreadSanitizer of gcc 12 knows this join alone, which takes the wall clock; without it all that
 * follows the join would look like a race. */
static int join_until(pthread_t handle, int64_t deadline_ns)
{
    struct timespec deadline =
        timespec_of(clock_add_ns(clock_wall_ns(), deadline_ns - clock_now_ns()));
    return pthread_timedjoin_np(handle, NULL, &deadline);
}
#else
static int join_until(pthread_t handle, int64_t deadline_ns)
{
    struct timespec deadline = timespec_of(deadline_ns);
    return pthread_clockjoin_np(handle, NULL, CLOCK_MONOTONIC, &deadline);
}
#endif

bool thread_join_until(struct thread *thread, int64_t deadline_ns)
{
    int result = join_until(thread->handle, deadline_ns);
    if (result == ETIMEDOUT)
        return false;
    must_be_zero(result, "thread_join_until");
    remove_from_list(thread);
    return true;
}
