/* A walk over many records holds up nobody, and survives what others do meanwhile. */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>

#include "stage.h"
#include "store/memory.h"
#include "support/thread.h"

enum { MANY = 200000 };

/* What another thread does while a walk is under way. */
struct other {
    uint64_t job;
    struct thread thread;
    bool started;
    atomic_bool calls, done;
    size_t seen;   /* tasks, by the walk */
    size_t before; /* of these: when the other was done */
    struct store_position last;
};

static void end_the_last(void *argument)
{
    struct other *other = argument;
    atomic_store(&other->calls, true);
    cr_assert_eq(stage_end_as(other->job, MANY - 1, STORE_SUCCEEDED), STORE_DONE);
    atomic_store(&other->done, true);
}

static void end_them_all(void *argument)
{
    struct other *other = argument;
    static struct store_end ends[MANY];
    for (uint32_t i = 0; i < MANY; i++)
        ends[i] = stage_end_of(other->job, i, STORE_SUCCEEDED);
    atomic_store(&other->calls, true);
    cr_assert(store_end(stage, ends, MANY, NULL));
    atomic_store(&other->done, true);
}

static void start(struct other *other, void (*run)(void *))
{
    struct error error;
    cr_assert(thread_start(&other->thread, "other", run, other, &error), "%s", error.message);
    other->started = true;
    while (!atomic_load(&other->calls))
        sched_yield();
    struct memory_lock *lock = &((struct memory *)stage)->lock;
    while (mutex_try_lock(&lock->next)) { /* until it waits for the lock, which the visit holds */
        mutex_unlock(&lock->next);
        sched_yield();
    }
}

static void see(struct other *other, const struct store_task *task)
{
    struct store_position at = {task->job->key, task->number};
    cr_assert(at.job > other->last.job || other->seen == 0 || at.number > other->last.number);
    other->last = at;
    other->seen++;
    other->before += !atomic_load(&other->done);
}

static bool while_one_ends(void *context, const struct store_task *task)
{
    struct other *other = context;
    if (!other->started)
        start(other, end_the_last);
    see(other, task);
    return true;
}

static bool while_all_end(void *context, const struct store_task *task)
{
    struct other *other = context;
    if (!other->started)
        start(other, end_them_all);
    see(other, task);
    return true;
}

Test(memory_walk, another_call_gets_in_before_its_end)
{
    stage_open("memory", 0, 0);
    struct other other = {.job = stage_job("A")};
    stage_tasks(other.job, "noop", NULL, MANY);
    cr_assert(
        store_visit(stage, &(struct store_query){.job = other.job}, while_one_ends, &other, NULL));
    thread_join(&other.thread);
    cr_assert_lt(other.before, other.seen, "%zu of %zu", other.before, other.seen);
    cr_assert_eq(other.last.number, MANY - 2, "the last one was gone when it came to it");
    stage_close();
}

Test(memory_walk, goes_on_with_the_next_job_when_its_own_is_forgotten)
{
    stage_open("memory", 0, 0);
    struct other other = {.job = stage_job("A")};
    uint64_t behind = stage_job("B");
    stage_tasks(other.job, "noop", NULL, MANY);
    stage_seal(other.job);
    stage_tasks(behind, "noop", NULL, 1);
    cr_assert(store_visit(stage, &(struct store_query){.states = STORE_SET(STORE_UNFINISHED)},
                          while_all_end, &other, NULL));
    thread_join(&other.thread);
    cr_assert_not(stage_find_job("A"));
    cr_assert_lt(other.seen, MANY);
    cr_assert_eq(other.last.job, behind);
    stage_close();
}
