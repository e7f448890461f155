#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>

#include "plugin/errand.h"
#include "support/clock.h"
#include "support/thread.h"

static struct mutex gate; /* whoever cannot take it is late */
static _Atomic int ran;

static void run(void *argument)
{
    (void)argument;
    atomic_fetch_add(&ran, 1);
}

static void run_behind_the_gate(void *argument)
{
    (void)argument;
    mutex_lock(&gate);
    atomic_fetch_add(&ran, 1);
    mutex_unlock(&gate);
}

Test(errand, is_over_when_it_was_in_time)
{
    struct error error;
    cr_assert_eq(errand_run("test", run, NULL, 10 * NS_PER_S, &error), ERRAND_DONE);
    cr_assert_eq(ran, 1);
}

Test(errand, a_late_one_is_left_behind_and_may_still_come_back, .timeout = 60)
{
    struct error error;
    mutex_init(&gate);
    mutex_lock(&gate);
    cr_assert_eq(errand_run("test", run_behind_the_gate, NULL, NS_PER_MS, &error), ERRAND_LATE);
    cr_assert_eq(errand_run("test", run, NULL, 10 * NS_PER_S, &error), ERRAND_DONE);
    mutex_unlock(&gate);
    while (atomic_load(&ran) < 2)
        sched_yield();
}
