/* metric_text: metrics in the text format of Prometheus (version 0.0.4). Names, kinds, labels and
 * help come from metrics.def. Functions without state; any thread. */
#pragma once

#include <stdint.h>

#include "support/buffer.h"
#include "support/histogram.h"

enum metric {
#define METRIC(noun, kind, name, labels, help) METRIC_##noun,
#include "serve/metrics.def"
#undef METRIC
    METRIC_COUNT,
};

enum { METRIC_LABELS_MOST = 4 };

/* Adds the lines # HELP and # TYPE of a metric; its series follow. */
void metric_text_head(struct buffer *out, enum metric metric);

/* Adds a series with a whole number. Values are those of the metric's labels, in their order, and
 * may be any bytes: they are escaped, and what is not UTF-8 becomes '?'. */
void metric_text_number(struct buffer *out, enum metric metric, const char *const *values,
                        uint64_t number);

/* Adds a series with a duration, in seconds; a negative one as 0. */
void metric_text_seconds(struct buffer *out, enum metric metric, const char *const *values,
                         int64_t ns);

/* Adds the series of a histogram: a line for each bucket, which counts what is not above its bound,
 * the sum and the count. */
void metric_text_histogram(struct buffer *out, enum metric metric, const char *const *values,
                           struct histogram_total *total);
