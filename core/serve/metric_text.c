#include "serve/metric_text.h"

#include <string.h>

#include "support/cleanup.h"
#include "support/clock.h"
#include "support/utf8.h"

enum {
    NUMBER_MOST_BYTES = 20,                      /* of a whole number */
    SECONDS_MOST_BYTES = NUMBER_MOST_BYTES + 10, /* of one with nanoseconds behind a point */
    BOUND_MOST_BYTES = 8,
};

#define COUNTER   "counter"
#define GAUGE     "gauge"
#define HISTOGRAM "histogram"
#define LABELS(...)                                                                                \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static const struct {
    const char *name, *kind, *help;
    const char *labels[METRIC_LABELS_MOST + 1]; /* ends in NULL */
} metrics[] = {
#define METRIC(noun, of_kind, of_name, of_labels, of_help)                                         \
    [METRIC_##noun] = {.name = of_name, .kind = of_kind, .help = of_help, .labels = of_labels},
#include "serve/metrics.def"
#undef METRIC
};

/* Writes a number at `at`, where there is room, and returns its end. */
static char *put_number(char *at, uint64_t number)
{
    char digits[NUMBER_MOST_BYTES];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* The shortest that says exactly the same. */
static char *put_seconds(char *at, uint64_t ns)
{
    uint64_t rest = ns % (uint64_t)NS_PER_S;
    at = put_number(at, ns / (uint64_t)NS_PER_S);
    if (rest == 0)
        return at;
    *at++ = '.';
    for (uint64_t place = (uint64_t)NS_PER_S / 10; rest > 0; place /= 10) {
        *at++ = (char)('0' + rest / place);
        rest %= place;
    }
    return at;
}

static char *put_text(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}

static void end_at(struct buffer *out, const char *end)
{
    out->length = (size_t)(end - out->bytes);
}

static void add_number(struct buffer *out, uint64_t number)
{
    char *at = put_number(buffer_reserve(out, NUMBER_MOST_BYTES + 1), number);
    *at++ = '\n';
    end_at(out, at);
}

static void add_seconds(struct buffer *out, uint64_t ns)
{
    char *at = put_seconds(buffer_reserve(out, SECONDS_MOST_BYTES + 1), ns);
    *at++ = '\n';
    end_at(out, at);
}

static void add_escaped(struct buffer *out, const char *text)
{
    size_t bytes;
    uint32_t character;
    for (size_t left = strlen(text); left > 0; text += bytes, left -= bytes) {
        bytes = utf8_read(text, left, &character);
        if (bytes == 0) {
            bytes = 1;
            buffer_puts(out, "?");
        } else if (*text == '\n') {
            buffer_puts(out, "\\n");
        } else {
            if (*text == '"' || *text == '\\')
                buffer_puts(out, "\\");
            buffer_append(out, text, bytes);
        }
    }
}

/* Adds what stands between the braces. */
static void add_labels(struct buffer *out, enum metric metric, const char *const *values)
{
    const char *const *labels = metrics[metric].labels;
    for (size_t i = 0; labels[i] != NULL; i++) {
        buffer_puts(out, i == 0 ? "" : ",");
        buffer_puts(out, labels[i]);
        buffer_puts(out, "=\"");
        add_escaped(out, values[i]);
        buffer_puts(out, "\"");
    }
}

/* Adds name and labels, up to the number. */
static void begin_series(struct buffer *out, enum metric metric, const char *suffix,
                         const char *const *values)
{
    bool has_labels = metrics[metric].labels[0] != NULL;
    buffer_puts(out, metrics[metric].name);
    buffer_puts(out, suffix);
    buffer_puts(out, has_labels ? "{" : "");
    add_labels(out, metric, values);
    buffer_puts(out, has_labels ? "} " : " ");
}

void metric_text_head(struct buffer *out, enum metric metric)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[metric].name, metrics[metric].help,
                  metrics[metric].name, metrics[metric].kind);
}

void metric_text_number(struct buffer *out, enum metric metric, const char *const *values,
                        uint64_t number)
{
    begin_series(out, metric, "", values);
    add_number(out, number);
}

void metric_text_seconds(struct buffer *out, enum metric metric, const char *const *values,
                         int64_t ns)
{
    begin_series(out, metric, "", values);
    add_seconds(out, ns > 0 ? (uint64_t)ns : 0);
}

/* Adds one line: what all buckets begin with, the bound, the count. */
static void add_bucket(struct buffer *out, const struct buffer *head, const char *bound,
                       uint64_t count)
{
    static const char behind_bound[] = "\"} ";
    size_t most = head->length + BOUND_MOST_BYTES + sizeof behind_bound + NUMBER_MOST_BYTES + 1;
    char *at = buffer_reserve(out, most);
    at = put_text(at, head->bytes, head->length);
    at = put_text(at, bound, strlen(bound));
    at = put_text(at, behind_bound, sizeof behind_bound - 1);
    at = put_number(at, count);
    *at++ = '\n';
    end_at(out, at);
}

/* A scrape of many types is made of little but these lines. */
static void add_buckets(struct buffer *out, enum metric metric, const char *const *values,
                        const struct histogram_reading *reading)
{
    CLEANUP(buffer_fini) struct buffer head = BUFFER_EMPTY;
    buffer_puts(&head, metrics[metric].name);
    buffer_puts(&head, "_bucket{");
    add_labels(&head, metric, values);
    buffer_puts(&head, metrics[metric].labels[0] != NULL ? ",le=\"" : "le=\"");
    for (int i = 0; i < HISTOGRAM_BOUNDS_COUNT; i++)
        add_bucket(out, &head, histogram_bounds[i], reading->up_to[i]);
    add_bucket(out, &head, "+Inf", reading->up_to[HISTOGRAM_BUCKETS - 1]);
}

void metric_text_histogram(struct buffer *out, enum metric metric, const char *const *values,
                           struct histogram_total *total)
{
    struct histogram_reading reading;
    histogram_read(total, &reading);
    add_buckets(out, metric, values, &reading);
    begin_series(out, metric, "_sum", values);
    add_seconds(out, reading.sum_ns);
    begin_series(out, metric, "_count", values);
    add_number(out, reading.up_to[HISTOGRAM_BUCKETS - 1]);
}
