#include "support/histogram.h"

#include <assert.h>

#define TEXT(ns, text, with) text,
const char *const histogram_bounds[] = {HISTOGRAM_BOUNDS(TEXT, )};

#define NANOSECONDS(ns, text, with) INT64_C(ns),
static const int64_t bounds_ns[] = {HISTOGRAM_BOUNDS(NANOSECONDS, ) INT64_MAX};

static_assert(HISTOGRAM_BUCKETS <= 32, "a bit for each bucket in histogram.used");

/* What each bound adds to the row of the octave from 2^bit on. */
#define IS_BELOW(ns, text, bit)  +(INT64_C(ns) < INT64_C(1) << (bit))
#define IS_WITHIN(ns, text, bit) INT64_C(ns) >> (bit) == 1 ? INT64_C(ns):
#define ROW(bit)                                                                                   \
    [bit] = {.bound_ns = HISTOGRAM_BOUNDS(IS_WITHIN, bit) INT64_MAX,                               \
             .below = 0 HISTOGRAM_BOUNDS(IS_BELOW, bit)}
#define ROWS(bit)                                                                                  \
    ROW(bit), ROW((bit) + 1), ROW((bit) + 2), ROW((bit) + 3), ROW((bit) + 4), ROW((bit) + 5),      \
        ROW((bit) + 6)

const struct histogram_octave histogram_octaves[] = {
    ROWS(0), ROWS(7), ROWS(14), ROWS(21), ROWS(28), ROWS(35), ROWS(42), ROWS(49), ROWS(56),
};

static void leave_bucket(struct histogram *histogram)
{
    if (histogram->hits == 0)
        return;
    histogram->counts[histogram->bucket] += histogram->hits;
    histogram->used |= UINT32_C(1) << histogram->bucket;
    histogram->hits = 0;
}

uint64_t histogram_aim(struct histogram *histogram, int64_t ns)
{
    int64_t counted_ns = ns > 0 ? ns : 0;
    uint32_t bucket = histogram_bucket(counted_ns);
    leave_bucket(histogram);
    histogram->first_ns = bucket == 0 ? 0 : (uint64_t)bounds_ns[bucket - 1] + 1;
    histogram->span_ns = (uint64_t)bounds_ns[bucket] + 1 - histogram->first_ns;
    histogram->bucket = bucket;
    return (uint64_t)counted_ns;
}

static void add(_Atomic uint64_t *to, uint64_t more)
{
    if (more > 0)
        atomic_fetch_add_explicit(to, more, memory_order_relaxed);
}

void histogram_merge(struct histogram_total *total, struct histogram *gathered)
{
    add(&total->counts[gathered->bucket], gathered->hits);
    add(&total->sum_ns, gathered->sum_ns);
    gathered->hits = 0;
    gathered->sum_ns = 0;
    for (; gathered->used != 0; gathered->used &= gathered->used - 1) {
        int bucket = __builtin_ctz(gathered->used);
        add(&total->counts[bucket], gathered->counts[bucket]);
        gathered->counts[bucket] = 0;
    }
}

void histogram_read(struct histogram_total *total, struct histogram_reading *reading)
{
    uint64_t up_to = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        up_to += atomic_load_explicit(&total->counts[i], memory_order_relaxed);
        reading->up_to[i] = up_to;
    }
    reading->sum_ns = atomic_load_explicit(&total->sum_ns, memory_order_relaxed);
}
