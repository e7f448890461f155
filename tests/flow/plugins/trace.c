/* trace: leaves a trace of every attempt in a file that outlives the host, one write a line:
 *     B JOB TASK ATTEMPT MICROSECONDS          a call begins
 *     E JOB TASK ATTEMPT MICROSECONDS HOW      it ends: ok, failed, cancelled, wrong
 * The time is that of the monotonic clock. A call returns a little after the line of its end, or
 * long after it, if it lingers. Setting: `file`. */
#include <sluice/plugin.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 512 };

struct trace_params {
    int64_t duration_ns;
    int64_t lingers_ns;
    int64_t fail;
    const char *says;
    const char *got;
    const char *want;
};

static const struct sluice_param trace_table[] = {
    SLUICE_NAMED(DURATION, "for", struct trace_params, duration_ns, .def = "0s", .min = 0,
                 .max = INT64_MAX, .help = "how long"),
    SLUICE_NAMED(DURATION, "lingers", struct trace_params, lingers_ns, .def = "0s", .min = 0,
                 .max = INT64_MAX, .help = "how long it stays after the line of its end"),
    SLUICE_INT(struct trace_params, fail, .def = "0", .help = "so many attempts fail first"),
    SLUICE_STRING(struct trace_params, says, .def = "", .help = "the output `said`"),
    SLUICE_STRING(struct trace_params, got, .def = "", .help = "what has to be the same"),
    SLUICE_STRING(struct trace_params, want, .def = "", .help = "as this"),
    SLUICE_PARAMS_END,
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool note(const struct sluice_call *call, char what, const char *how)
{
    const int *fd = sluice_self(call);
    char line[LINE_BYTES];
    int length =
        snprintf(line, sizeof line, "%c %s %s %" PRIu32 " %" PRId64 " %s\n", what,
                 sluice_job_id(call), sluice_task_id(call), sluice_attempt(call), now_us(), how);
    return length < LINE_BYTES && write(*fd, line, (size_t)length) == length;
}

static enum sluice_status trace(const struct sluice_call *call, const void *params)
{
    const struct trace_params *p = params;
    if (!note(call, 'B', ""))
        return sluice_fail_for_good(call, "no_trace", "the trace cannot be written");
    if (p->duration_ns > 0 && !sluice_wait(call, p->duration_ns)) {
        note(call, 'E', "cancelled");
        return SLUICE_CANCELLED;
    }
    if (strcmp(p->got, p->want) != 0) {
        note(call, 'E', "wrong");
        return sluice_fail_for_good(call, "wrong", "'%s' is not '%s'", p->got, p->want);
    }
    bool fails = sluice_attempt(call) <= p->fail;
    note(call, 'E', fails ? "failed" : "ok");
    if (p->lingers_ns > 0)
        sluice_wait(call, p->lingers_ns);
    if (p->says[0] != '\0')
        sluice_output(call, "said", p->says);
    return fails ? sluice_fail(call, "told_to", "attempt %" PRIu32, sluice_attempt(call))
                 : SLUICE_OK;
}

static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    static int fd;
    const char *file = "";
    (void)host;
    for (uint32_t i = 0; i < settings->count; i++)
        if (strcmp(settings->pairs[i].key, "file") == 0)
            file = settings->pairs[i].value;
    fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    *self = &fd;
    return fd >= 0 || sluice_error_set(err, "cannot open '%s'", file);
}

static void stop(void *self)
{
    close(*(int *)self);
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("trace", "Leaves a trace of every attempt."), .params = trace_table,
     .params_size = sizeof(struct trace_params), .execute = trace},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("trace", "1.0.0", "trace", types, .init = start, .deinit = stop)
