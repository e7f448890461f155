#include <criterion/criterion.h>

#include "support/clock.h"

Test(clock, a_reading_that_is_used_again_is_neither_ahead_of_the_clock_nor_goes_back)
{
    struct clock_reading reading;
    int64_t last_ns = clock_read(&reading);
    for (int i = 0; i < 100000; i++) {
        int64_t again_ns = clock_read_again(&reading);
        cr_assert_geq(again_ns, last_ns);
        cr_assert_leq(again_ns, clock_now_ns());
        last_ns = again_ns;
    }
}

Test(clock, a_reading_gets_old)
{
    struct clock_reading reading;
    int64_t first_ns = clock_read(&reading);
    int64_t until_ns = first_ns + 20 * NS_PER_S;
    while (clock_read_again(&reading) == first_ns)
        cr_assert_lt(clock_now_ns(), until_ns, "the clock stands still");
}
