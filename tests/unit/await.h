/* await: waits in a test for something that another thread brings about, without sleeping, and
 * fails the test when it does not come. */
#pragma once

#include <criterion/criterion.h>
#include <sched.h>

#include "support/clock.h"

#define AWAIT_MOST_NS (20 * NS_PER_S)

/* Waits until the condition holds. */
#define AWAIT(condition)                                                                           \
    do {                                                                                           \
        int64_t await_until_ns = clock_now_ns() + AWAIT_MOST_NS;                                   \
        while (!(condition)) {                                                                     \
            cr_assert_lt(clock_now_ns(), await_until_ns, "waited in vain for: %s", #condition);    \
            sched_yield();                                                                         \
        }                                                                                          \
    } while (0)
