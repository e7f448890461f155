/* clock: the time, as 64-bit nanoseconds. Stateless; any thread. */
#pragma once

#include <stdbool.h>
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

/* A reading of the monotonic clock that one thread may use again within a microsecond or so. */
struct clock_reading {
    int64_t now_ns;
    uint64_t ticks;
};

/* How far the processor's counter may move on before the clock is read again: 0.4 us at 5 GHz, 2 us
 * at 1 GHz; 0: there is no such counter. It only says that hardly any time has passed, so it need
 * not be steady, nor the same on all processors. */
#ifdef __x86_64__
#define CLOCK_READING_TICKS UINT64_C(2048)
static inline uint64_t clock_ticks(void)
{
    return __builtin_ia32_rdtsc();
}
#else
#define CLOCK_READING_TICKS UINT64_C(0)
static inline uint64_t clock_ticks(void)
{
    return 0;
}
#endif

/* Reads the clock and returns the monotonic time. */
static inline int64_t clock_read(struct clock_reading *reading)
{
    reading->ticks = clock_ticks();
    return reading->now_ns = clock_now_ns();
}

/* Returns the monotonic time of the last reading if that is hardly over, else of a new one: for who
 * asks after every call of 100 ns, of which the clock itself takes 25. */
static inline int64_t clock_read_again(struct clock_reading *reading)
{
    bool is_fresh = clock_ticks() - reading->ticks < CLOCK_READING_TICKS;
    return is_fresh ? reading->now_ns : clock_read(reading);
}

/* Returns from + span, or CLOCK_NEVER_NS where that would overflow. Neither may be negative. */
static inline int64_t clock_add_ns(int64_t from_ns, int64_t span_ns)
{
    return span_ns > CLOCK_NEVER_NS - from_ns ? CLOCK_NEVER_NS : from_ns + span_ns;
}
