/* clock: the time, as 64-bit nanoseconds. Stateless; any thread. */
#pragma once

#include <stdint.h>
#include <time.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/* "Never", for deadlines. */
#define CLOCK_NEVER_NS INT64_MAX

/* Returns the monotonic time: what deadlines and delays are measured with. */
static inline int64_t clock_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Returns the wall-clock time since 1970 in UTC. */
static inline int64_t clock_wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Returns from + span, or CLOCK_NEVER_NS where that would overflow. Neither may be negative. */
static inline int64_t clock_add_ns(int64_t from_ns, int64_t span_ns)
{
    return span_ns > CLOCK_NEVER_NS - from_ns ? CLOCK_NEVER_NS : from_ns + span_ns;
}
