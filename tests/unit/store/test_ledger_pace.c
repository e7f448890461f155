#include <criterion/criterion.h>

#include "store/ledger_pace.h"
#include "support/clock.h"

static struct sqlite_queue queue;
static struct ledger_waits waits;
static struct ledger_pace pace;

/* Two wait for a job; a commit is under way that has looked at it and at nothing behind it. */
static void begin(void)
{
    queue = (struct sqlite_queue){.pushed = 3};
    ledger_waits_init(&waits);
    waits.count = 2;
    pace = (struct ledger_pace){.queue = &queue, .waits = &waits, .interval_ns = 3600 * NS_PER_S};
    ledger_pace_said(&pace);
    ledger_pace_want(&pace, 3);
    ledger_pace_look(&pace);
}

TestSuite(ledger_pace, .init = begin);

/* The commit ends, which has told two and taken a while. */
static void commit_ends(void)
{
    waits.count = 0;
    ledger_pace_wrote(&pace, &(struct sqlite_cursor){.passed = 3}, NS_PER_S, 2);
    pace.company.until_ns = clock_now_ns() + 3600 * NS_PER_S; /* longer than a test takes */
}

static void say_one(void)
{
    queue.pushed++;
    ledger_pace_said(&pace);
}

Test(ledger_pace, what_nobody_waits_for_does_not_press)
{
    commit_ends();
    say_one();
    cr_assert_not(ledger_pace_presses(&pace));
}

Test(ledger_pace, who_comes_first_waits_for_the_other)
{
    commit_ends();
    say_one();
    waits.count = 1;
    ledger_pace_want(&pace, 4);
    cr_assert_not(ledger_pace_presses(&pace));
    say_one();
    waits.count = 2;
    ledger_pace_want(&pace, 5);
    cr_assert(ledger_pace_presses(&pace));
}

Test(ledger_pace, a_demand_waits_for_nobody)
{
    commit_ends();
    say_one();
    waits.count = 1;
    ledger_pace_want(&pace, 4);
    ledger_pace_demand(&pace, 4);
    cr_assert(ledger_pace_presses(&pace));
}

Test(ledger_pace, a_demand_during_a_commit_is_still_one_behind_it)
{
    say_one();
    ledger_pace_demand(&pace, 4);
    commit_ends();
    cr_assert(ledger_pace_presses(&pace));
}

Test(ledger_pace, it_dozes_no_longer_than_somebody_is_expected_and_something_may_wait)
{
    int64_t until_ns, now_ns = clock_now_ns();
    commit_ends();
    pace.company.until_ns = now_ns + NS_PER_S;
    cr_assert_eq(ledger_pace_rest(&pace, &until_ns), LEDGER_DOZES);
    cr_assert_eq(until_ns, now_ns + NS_PER_S);
    pace.interval_ns = 1000;
    say_one();
    cr_assert_eq(ledger_pace_rest(&pace, &until_ns), LEDGER_DOZES);
    cr_assert_leq(until_ns, clock_now_ns() + 1000);
    cr_assert_geq(until_ns, now_ns);
}
