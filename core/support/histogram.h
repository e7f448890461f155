/* histogram: how many durations fell into each of the buckets whose bounds go in steps 1-2-5 from
 * 1 us to 1 h, and what they add up to. Two of a kind: one that a thread fills alone, by few
 * instructions, and one into which such are merged and that anyone may read. Embedded by their
 * owners, zeroed to begin with. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* Every bound in nanoseconds, and in seconds as it is printed: shortest, as "%g" does. */
#define HISTOGRAM_BOUNDS(BOUND, with)                                                              \
    BOUND(1000, "1e-06", with)                                                                     \
    BOUND(2000, "2e-06", with)                                                                     \
    BOUND(5000, "5e-06", with)                                                                     \
    BOUND(10000, "1e-05", with)                                                                    \
    BOUND(20000, "2e-05", with)                                                                    \
    BOUND(50000, "5e-05", with)                                                                    \
    BOUND(100000, "0.0001", with)                                                                  \
    BOUND(200000, "0.0002", with)                                                                  \
    BOUND(500000, "0.0005", with)                                                                  \
    BOUND(1000000, "0.001", with)                                                                  \
    BOUND(2000000, "0.002", with)                                                                  \
    BOUND(5000000, "0.005", with)                                                                  \
    BOUND(10000000, "0.01", with)                                                                  \
    BOUND(20000000, "0.02", with)                                                                  \
    BOUND(50000000, "0.05", with)                                                                  \
    BOUND(100000000, "0.1", with)                                                                  \
    BOUND(200000000, "0.2", with)                                                                  \
    BOUND(500000000, "0.5", with)                                                                  \
    BOUND(1000000000, "1", with)                                                                   \
    BOUND(2000000000, "2", with)                                                                   \
    BOUND(5000000000, "5", with)                                                                   \
    BOUND(10000000000, "10", with)                                                                 \
    BOUND(20000000000, "20", with)                                                                 \
    BOUND(50000000000, "50", with)                                                                 \
    BOUND(100000000000, "100", with)                                                               \
    BOUND(200000000000, "200", with)                                                               \
    BOUND(500000000000, "500", with)                                                               \
    BOUND(1000000000000, "1000", with)                                                             \
    BOUND(2000000000000, "2000", with)                                                             \
    BOUND(3600000000000, "3600", with)

#define HISTOGRAM_ONE_MORE(ns, text, with) +1
enum {
    HISTOGRAM_BOUNDS_COUNT = 0 HISTOGRAM_BOUNDS(HISTOGRAM_ONE_MORE, ),
    HISTOGRAM_BUCKETS = HISTOGRAM_BOUNDS_COUNT + 1, /* the last one is for what is above */
};
#undef HISTOGRAM_ONE_MORE

/* A bound as it is printed: "0.1". */
extern const char *const histogram_bounds[HISTOGRAM_BOUNDS_COUNT];

/* For durations that have their highest bit in the same place: how many bounds are below all of
 * them, and the one bound, if any, that is among them. */
struct histogram_octave {
    int64_t bound_ns; /* INT64_MAX: none */
    int64_t below;
};
extern const struct histogram_octave histogram_octaves[63];

/* One thread fills it. Durations that follow each other mostly fall into the same bucket, so that
 * is tried first. */
struct histogram {
    /* the bucket that was hit last */
    uint64_t first_ns, span_ns; /* what falls into it; span_ns 0: there is none yet */
    uint64_t sum_ns;            /* of all buckets */
    uint32_t hits, bucket;
    /* those that were hit before */
    uint32_t used; /* a bit for each */
    uint32_t counts[HISTOGRAM_BUCKETS];
};

/* Any thread. */
struct histogram_total {
    _Atomic uint64_t counts[HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum_ns;
};

/* What a histogram_total held when it was read. */
struct histogram_reading {
    uint64_t up_to[HISTOGRAM_BUCKETS]; /* all that is not above the bound; the last is the count */
    uint64_t sum_ns;
};

/* Returns the bucket of a duration, which is not negative: the first whose bound is not below it.
 * No step between two bounds is below 2 within one octave, so one comparison decides. */
static inline uint32_t histogram_bucket(int64_t ns)
{
    const struct histogram_octave *octave =
        &histogram_octaves[63 - __builtin_clzll((uint64_t)ns | 1)];
    return (uint32_t)(octave->below + (ns > octave->bound_ns));
}

/* Has the next ones tried in the bucket of a duration, which it returns: 0 for a negative one,
 * since the clocks of two threads may be a microsecond apart. */
uint64_t histogram_aim(struct histogram *histogram, int64_t ns);

/* Counts a duration. */
static inline void histogram_add(struct histogram *histogram, int64_t ns)
{
    uint64_t counted_ns = (uint64_t)ns;
    if (counted_ns - histogram->first_ns >= histogram->span_ns)
        counted_ns = histogram_aim(histogram, ns);
    histogram->hits++;
    histogram->sum_ns += counted_ns;
}

/* Adds what a thread has gathered and empties that. Any thread. */
void histogram_merge(struct histogram_total *total, struct histogram *gathered);

/* Reads a total while others add to it: each bucket as it is at its time, the count their sum. Any
 * thread. */
void histogram_read(struct histogram_total *total, struct histogram_reading *reading);
