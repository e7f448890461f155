#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/clock.h"
#include "support/histogram.h"

#define NANOSECONDS(ns, text, with) ns,
static const int64_t bounds_ns[] = {HISTOGRAM_BOUNDS(NANOSECONDS, )};

/* The bucket, found the slow way. */
static uint32_t bucket_of(int64_t ns)
{
    uint32_t bucket = 0;
    while (bucket < HISTOGRAM_BOUNDS_COUNT && ns > bounds_ns[bucket])
        bucket++;
    return bucket;
}

Test(histogram, has_bounds_from_a_microsecond_to_an_hour_in_steps_of_1_2_5)
{
    static const int steps[] = {1, 2, 5};
    int64_t decade_ns = NS_PER_US;
    for (int i = 0; i < HISTOGRAM_BOUNDS_COUNT - 1; i++) {
        cr_assert_eq(bounds_ns[i], decade_ns * steps[i % 3]);
        if (i % 3 == 2)
            decade_ns *= 10;
    }
    cr_assert_eq(bounds_ns[HISTOGRAM_BOUNDS_COUNT - 1], 3600 * NS_PER_S);
}

Test(histogram, prints_bounds_in_seconds_and_shortest)
{
    bool has_a_tenth = false;
    for (int i = 0; i < HISTOGRAM_BOUNDS_COUNT; i++) {
        char text[32];
        snprintf(text, sizeof text, "%g", (double)bounds_ns[i] / (double)NS_PER_S);
        cr_assert_str_eq(histogram_bounds[i], text);
        has_a_tenth = has_a_tenth || strcmp(text, "0.1") == 0;
    }
    cr_assert(has_a_tenth);
}

Test(histogram, puts_a_bound_into_its_bucket_and_what_is_above_into_the_next)
{
    for (uint32_t i = 0; i < HISTOGRAM_BOUNDS_COUNT; i++) {
        cr_assert_eq(histogram_bucket(bounds_ns[i] - 1), i);
        cr_assert_eq(histogram_bucket(bounds_ns[i]), i);
        cr_assert_eq(histogram_bucket(bounds_ns[i] + 1), i + 1);
    }
}

Test(histogram, finds_the_bucket_of_every_power_of_two_and_its_neighbours)
{
    cr_assert_eq(histogram_bucket(0), 0);
    cr_assert_eq(histogram_bucket(INT64_MAX), HISTOGRAM_BUCKETS - 1);
    for (int bit = 1; bit < 63; bit++) {
        for (int64_t ns = (INT64_C(1) << bit) - 1; ns <= (INT64_C(1) << bit) + 1; ns++)
            cr_assert_eq(histogram_bucket(ns), bucket_of(ns), "%ld ns", (long)ns);
    }
}

Test(histogram, merges_what_threads_have_gathered_and_reads_cumulated_counts)
{
    struct histogram first = {0}, second = {0};
    struct histogram_total total = {0};
    struct histogram_reading reading;
    histogram_add(&first, 100 * NS_PER_MS);
    histogram_add(&first, 100 * NS_PER_MS);
    histogram_add(&second, 7200 * NS_PER_S);
    histogram_add(&second, -5);
    histogram_merge(&total, &first);
    histogram_merge(&total, &second);
    histogram_merge(&total, &second); /* is empty by now */
    histogram_add(&second, -1);
    histogram_merge(&total, &second);
    histogram_read(&total, &reading);
    cr_assert_eq(reading.up_to[0], 2);
    cr_assert_eq(reading.up_to[bucket_of(100 * NS_PER_MS) - 1], 2);
    cr_assert_eq(reading.up_to[bucket_of(100 * NS_PER_MS)], 4);
    cr_assert_eq(reading.up_to[HISTOGRAM_BOUNDS_COUNT - 1], 4);
    cr_assert_eq(reading.up_to[HISTOGRAM_BUCKETS - 1], 5);
    cr_assert_eq(reading.sum_ns, (uint64_t)(7200 * NS_PER_S + 200 * NS_PER_MS));
}

Test(histogram, counts_the_same_whatever_the_order)
{
    struct histogram gathered = {0};
    struct histogram_total total = {0};
    uint32_t expected[HISTOGRAM_BUCKETS] = {0};
    uint64_t state = 1, sum_ns = 0;
    for (int i = 0; i < 100000; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        int64_t ns = (int64_t)(state >> 1) >> (state & 63);
        histogram_add(&gathered, ns);
        expected[bucket_of(ns)]++;
        sum_ns += (uint64_t)ns;
        if (i % 1000 == 0)
            histogram_merge(&total, &gathered);
    }
    histogram_merge(&total, &gathered);
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        cr_assert_eq(total.counts[i], expected[i]);
    cr_assert_eq(total.sum_ns, sum_ns);
}
