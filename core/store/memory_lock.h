/* memory_lock: the lock of store_memory. Who is long at it passes it on now and then, and gets it
 * back only when somebody who waited has had it: a bare mutex would go to whoever is awake, which
 * is the one who has just given it up. Embedded in store_memory. */
#pragma once

#include "support/thread.h"

struct memory_lock {
    struct mutex held; /* the lock itself */
    struct mutex next; /* of those who wait for it, one waits with this, the others for this */
};

/* Makes it ready for use. */
static inline void memory_lock_init(struct memory_lock *lock)
{
    mutex_init(&lock->held);
    mutex_init(&lock->next);
}

/* Ends it when nobody holds it. */
static inline void memory_lock_fini(struct memory_lock *lock)
{
    mutex_fini(&lock->next);
    mutex_fini(&lock->held);
}

/* Waits in line for it. */
static inline void memory_lock_wait(struct memory_lock *lock)
{
    mutex_lock(&lock->next);
    mutex_lock(&lock->held);
    mutex_unlock(&lock->next);
}

/* As often one looks whether it is free before one sleeps: most who hold it do for a microsecond,
 * to sleep and be woken costs several. */
enum { MEMORY_LOCK_LOOKS = 100 };

/* Takes it; blocks while another thread holds it. */
static inline void memory_lock_take(struct memory_lock *lock)
{
    for (int i = 0; i < MEMORY_LOCK_LOOKS; i++) {
        if (mutex_try_lock(&lock->held))
            return;
        thread_relax();
    }
    memory_lock_wait(lock);
}

/* Gives it back. */
static inline void memory_lock_give(struct memory_lock *lock)
{
    mutex_unlock(&lock->held);
}

/* Lets one who waits have it, if any, and takes it again: what it guards may be another then. */
static inline void memory_lock_pass(struct memory_lock *lock)
{
    memory_lock_give(lock);
    memory_lock_wait(lock);
}

/* For MEMORY_GUARD. */
static inline struct memory_lock *memory_guard_begin(struct memory_lock *lock)
{
    memory_lock_take(lock);
    return lock;
}

/* For MEMORY_GUARD. */
static inline void memory_guard_end(struct memory_lock **lock)
{
    memory_lock_give(*lock);
}

/* Holds the store's lock from here to the end of the scope. */
#define MEMORY_GUARD(memory)                                                                       \
    struct memory_lock *CLEANUP(memory_guard_end)                                                  \
    memory_guard __attribute__((unused)) = memory_guard_begin(&(memory)->lock)
