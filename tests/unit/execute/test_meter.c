#include <criterion/criterion.h>
#include <stdint.h>

#include "execute/meter.h"

static struct meter meter;
static const struct type type = {"a", 5}, other = {"b", 6};

Test(meter, knows_nothing_at_first)
{
    cr_assert_eq(meter_mean_ns(&meter, &type), 0);
}

Test(meter, a_measured_type_is_never_taken_for_unmeasured)
{
    meter_add(&meter, &type, 0, 64);
    cr_assert_gt(meter_mean_ns(&meter, &type), 0);
    for (int i = 0; i < 100; i++)
        meter_add(&meter, &type, 0, 64);
    cr_assert_gt(meter_mean_ns(&meter, &type), 0);
}

Test(meter, takes_the_first_batch_as_it_is)
{
    meter_add(&meter, &type, 64000, 64);
    cr_assert_float_eq((double)meter_mean_ns(&meter, &type), 1000, 2);
}

Test(meter, keeps_types_apart)
{
    meter_add(&meter, &type, 1000, 1);
    cr_assert_eq(meter_mean_ns(&meter, &other), 0);
}

Test(meter, follows_a_change_within_a_few_batches)
{
    meter_add(&meter, &type, 1000, 1);
    for (int i = 0; i < 10; i++)
        meter_add(&meter, &type, 1000000, 1);
    cr_assert_gt(meter_mean_ns(&meter, &type), 900000);
    for (int i = 0; i < 40; i++)
        meter_add(&meter, &type, 1000, 1);
    cr_assert_lt(meter_mean_ns(&meter, &type), 2000);
}

Test(meter, one_slow_call_counts_for_a_quarter)
{
    meter_add(&meter, &type, 1000, 1);
    meter_add(&meter, &type, 1000000, 1);
    cr_assert_lt(meter_mean_ns(&meter, &type), 260000);
}

Test(meter, holds_the_longest_spans)
{
    meter_add(&meter, &type, INT64_MAX / 2, 1);
    meter_add(&meter, &type, INT64_MAX / 2, 1);
    cr_assert_gt(meter_mean_ns(&meter, &type), INT64_MAX / 4);
}
