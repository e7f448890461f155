#include <criterion/criterion.h>

#include "plugin/errand.h"
#include "plugin/loader.h"
#include "support/clock.h"
#include "support/thread.h"

static struct loader *loader;
static struct mutex gate; /* whoever cannot take it is late */
static struct mutex lock;
static struct cond changed;
static int ran;                 /* guarded by lock */
static int ends[3], ends_count; /* guarded by lock */

static void setup(void)
{
    struct error error;
    mutex_init(&gate);
    mutex_init(&lock);
    cond_init(&changed);
    loader = loader_create(&error);
    cr_assert_not_null(loader);
}

TestSuite(errand, .init = setup, .timeout = 60);

static void run(void *argument)
{
    (void)argument;
    MUTEX_GUARD(&lock);
    ran++;
}

static void run_behind_the_gate(void *argument)
{
    mutex_lock(&gate);
    mutex_unlock(&gate);
    run(argument);
}

static void on_ended(void *argument, enum errand_end end)
{
    (void)argument;
    MUTEX_GUARD(&lock);
    ends[ends_count++] = (int)end;
    cond_broadcast(&changed);
}

struct wish {
    struct loader_work work;
    struct errand_order order;
};

static void start(void *context)
{
    const struct wish *wish = context;
    struct error error;
    cr_assert(errand_start(loader, &wish->order, &error));
}

static void ask(struct wish *wish, void (*what)(void *), int64_t limit_ns)
{
    wish->order =
        (struct errand_order){.name = "test", .run = what, .ended = on_ended, .limit_ns = limit_ns};
    wish->work = (struct loader_work){.run = start, .context = wish};
    loader_post(loader, &wish->work);
}

static void expect_end(int index, enum errand_end end)
{
    MUTEX_GUARD(&lock);
    while (ends_count <= index)
        cond_wait(&changed, &lock);
    cr_assert_eq(ends[index], end);
}

Test(errand, is_over_when_it_was_in_time)
{
    struct wish wish;
    ask(&wish, run, 10 * NS_PER_S);
    expect_end(0, ERRAND_DONE);
    cr_assert_eq(ran, 1);
    loader_destroy(&loader);
}

Test(errand, a_late_one_stops_nobody_and_may_still_come_back)
{
    struct wish late, other;
    mutex_lock(&gate);
    ask(&late, run_behind_the_gate, NS_PER_MS);
    expect_end(0, ERRAND_LATE);
    ask(&other, run, 10 * NS_PER_S);
    expect_end(1, ERRAND_DONE);
    mutex_unlock(&gate);
    expect_end(2, ERRAND_RETURNED);
    cr_assert_eq(ran, 2);
    loader_destroy(&loader);
}
