/* thread: threads, mutexes and condition variables; the only place that names pthread. Whoever
 * embeds one initialises and ends it. A failing system call here is a bug or a lack of memory and
 * aborts, except for starting a thread, which answers. Threads start with all signals blocked but
 * the synchronous ones. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "support/cleanup.h"
#include "support/error.h"

/* What one thread writes often and another one uses stands on cache lines of its own, by _Alignas:
 * a shared line goes to and fro with every write. */
enum { THREAD_LINE_BYTES = 64 };

struct mutex {
    pthread_mutex_t handle;
};

struct cond { /* waits are measured on the monotonic clock */
    pthread_cond_t handle;
};

struct thread {
    pthread_t handle;
    void (*run)(void *);
    void *argument;
    char name[16];
    /* of the list of all that are not joined; guarded by its lock */
    pid_t id;
    struct thread *next, **place;
};

/* Makes a mutex ready for use. */
void mutex_init(struct mutex *mutex);

/* Ends a mutex that nobody holds. */
void mutex_fini(struct mutex *mutex);

/* Takes the mutex; blocks while another thread holds it. */
static inline void mutex_lock(struct mutex *mutex)
{
    pthread_mutex_lock(&mutex->handle);
}

/* Takes the mutex if nobody holds it; false: somebody does. */
static inline bool mutex_try_lock(struct mutex *mutex)
{
    return pthread_mutex_trylock(&mutex->handle) == 0;
}

/* Gives the mutex back. */
static inline void mutex_unlock(struct mutex *mutex)
{
    pthread_mutex_unlock(&mutex->handle);
}

/* Gives back the mutex that a variable points to; for MUTEX_GUARD. */
static inline void mutex_guard_end(struct mutex **mutex)
{
    mutex_unlock(*mutex);
}

/* Takes the mutex and returns it; for MUTEX_GUARD. */
static inline struct mutex *mutex_guard_begin(struct mutex *mutex)
{
    mutex_lock(mutex);
    return mutex;
}

/* Holds the mutex from here to the end of the scope. */
#define MUTEX_GUARD(held)                                                                          \
    struct mutex *CLEANUP(mutex_guard_end)                                                         \
    mutex_guard __attribute__((unused)) = mutex_guard_begin(held)

/* Makes a condition variable ready for use. */
void cond_init(struct cond *cond);

/* Ends a condition variable on which nobody waits. */
void cond_fini(struct cond *cond);

/* Waits for a signal; the mutex is given back meanwhile. May wake without one. */
void cond_wait(struct cond *cond, struct mutex *mutex);

/* As cond_wait, until deadline_ns of the monotonic clock at the latest; false if that has
 * passed. */
bool cond_wait_until(struct cond *cond, struct mutex *mutex, int64_t deadline_ns);

/* Wakes one thread that waits, if there is one. */
void cond_signal(struct cond *cond);

/* Wakes all threads that wait. */
void cond_broadcast(struct cond *cond);

/* Starts run(argument) on a new thread under the name (cut to 15 bytes); false with a message if
 * the system refuses. *thread must stay where it is until it is joined. */
bool thread_start(struct thread *thread, const char *name, void (*run)(void *), void *argument,
                  struct error *error);

/* Tells the processor that the caller is waiting in a loop that will be short. */
static inline void thread_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Returns whether the caller is the process's first thread. */
bool thread_is_main(void);

/* Returns the clock of the processor time that the caller has used, for thread_cpu_ns. */
clockid_t thread_cpu_clock(void);

/* Reads such a clock of a thread of this process; false if that thread is gone. A system call. */
bool thread_cpu_ns(clockid_t clock, int64_t *ns);

/* Waits until the thread has returned. */
void thread_join(struct thread *thread);

/* The same, until deadline_ns of the monotonic clock at the latest: false if it has not. */
bool thread_join_until(struct thread *thread, int64_t deadline_ns);

/* Says whether this id (gettid) is that of a thread that thread_start has started and nobody has
 * joined, or of the main thread; any other is somebody else's. A thread is known a moment after its
 * start. Any thread. */
bool thread_is_ours(pid_t id);
