#include "cli/report.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "serve/json_text.h"
#include "serve/writer.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/ready.h"
#include "support/thread.h"
#include "support/utf8.h"

struct kept_failure {
    const struct job *job;
    json_t *json;
};

/* Tasks of one job that were skipped for one reason: the first is printed, the rest counted. */
struct skips {
    const struct job *job;
    char *reason;
    char *first; /* its line */
    uint64_t count;
};

struct report {
    /* immutable */
    enum format format;
    bool quiet, colour;
    struct writer *writer; /* main thread: gone with report_end */
    /* guarded by lock */
    struct mutex lock;
    struct kept_failure failures[REPORT_FAILURES_MOST];
    size_t failures_count;
    struct skips skips[REPORT_SKIPS_MOST];
    size_t skips_count;
};

struct report *report_create(const struct options *options, const char *prefix, struct error *error)
{
    struct report *report = calloc(1, sizeof(*report));

    if (report == NULL)
        abort();
    report->format = options->format;
    report->quiet = options->quiet;
    report->colour = output_colour(options->colour, STDERR_FILENO);
    mutex_init(&report->lock);
    report->writer = writer_create(STDERR_FILENO, prefix, error);
    if (report->writer == NULL)
        report_destroy(&report);
    return report;
}

/* One line, whatever a plugin says. */
static void put_clean(struct buffer *line, const char *text)
{
    CLEANUP(cleanup_free) char *clean = utf8_clean_line(text, strlen(text));
    buffer_puts(line, clean);
}

static const char *state_text(enum task_state state)
{
    return state == TASK_TIMED_OUT ? "timed out" : task_state_word(state);
}

static bool said(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* file:line: task 'fetch' (http.request) failed, attempt 3: not_found: no such file: x */
static void failure_line(const struct report *report, const struct outcome_record *record,
                         struct buffer *line)
{
    const struct task *task = record->task;
    const struct attempt *attempt = record->attempt;
    bool colour = report->colour;

    buffer_puts(line, colour ? "\033[1m" : "");
    put_clean(line, task->job->file);
    buffer_printf(line, ":%u:%s task '%s' (%s) %s%s%s", task->line, colour ? "\033[0m" : "",
                  task->id, task->type->name, colour ? "\033[1;31m" : "", state_text(record->state),
                  colour ? "\033[0m" : "");
    if (attempt != NULL && attempt->plugin != NULL)
        buffer_printf(line, ", attempt %u", task->attempt);
    if (attempt != NULL && said(attempt->reason))
        buffer_printf(line, ": %s", attempt->reason);
    if (attempt != NULL && said(attempt->message)) {
        buffer_puts(line, ": ");
        put_clean(line, attempt->message);
    }
    buffer_puts(line, "\n");
}

static json_t *failure_json(const struct outcome_record *record)
{
    const struct task *task = record->task;
    const struct attempt *attempt = record->attempt;

    return json_pack("{ss ss si ss so so si}", "task", task->id, "type", task->type->name,
                     "attempt", (int)task->attempt, "state", task_state_word(record->state),
                     "reason", json_text_or_null(attempt == NULL ? "" : attempt->reason), "message",
                     json_text_or_null(attempt == NULL ? "" : attempt->message), "line",
                     (int)task->line);
}

static void keep_failure(struct report *report, const struct outcome_record *record)
{
    /* Those that were skipped must not take all the room. */
    size_t most = record->state == TASK_SKIPPED ? REPORT_FAILURES_MOST / 2 : REPORT_FAILURES_MOST;
    mutex_lock(&report->lock);
    bool room = report->failures_count < most;
    mutex_unlock(&report->lock);
    if (!room)
        return;
    json_t *json = failure_json(record);
    MUTEX_GUARD(&report->lock);
    if (report->failures_count < most)
        report->failures[report->failures_count++] = (struct kept_failure){record->task->job, json};
    else
        json_decref(json);
}

/* Counts a skipped task; false if it is the first for its reason. Lock held. */
static bool count_skip(struct report *report, const struct job *job, const char *reason)
{
    for (size_t i = 0; i < report->skips_count; i++)
        if (report->skips[i].job == job && strcmp(report->skips[i].reason, reason) == 0) {
            report->skips[i].count++;
            return true;
        }
    return false;
}

/* What is skipped may be most of a job: a line for each reason is enough. */
static void keep_skip(struct report *report, const struct outcome_record *record)
{
    const char *reason =
        record->attempt == NULL || record->attempt->reason == NULL ? "" : record->attempt->reason;
    CLEANUP(buffer_fini) struct buffer line = BUFFER_EMPTY;

    failure_line(report, record, &line);
    MUTEX_GUARD(&report->lock);
    if (count_skip(report, record->task->job, reason) || report->skips_count == REPORT_SKIPS_MOST)
        return;
    char *copy = strdup(reason), *first = strdup(buffer_text(&line));
    if (copy == NULL || first == NULL)
        abort();
    report->skips[report->skips_count++] =
        (struct skips){.job = record->task->job, .reason = copy, .first = first, .count = 1};
}

void report_task(struct report *report, const struct outcome_record *record)
{
    CLEANUP(buffer_fini) struct buffer line = BUFFER_EMPTY;

    if (record->state == TASK_SUCCEEDED || record->state == TASK_CANCELLED ||
        record->state == TASK_DELAYED)
        return;
    if (report->format == FORMAT_JSON)
        keep_failure(report, record);
    if (record->state == TASK_SKIPPED) {
        keep_skip(report, record);
        return;
    }
    failure_line(report, record, &line);
    writer_append(report->writer, line.bytes, line.length);
}

void report_end(struct report *report)
{
    for (size_t i = 0; i < report->skips_count; i++) {
        CLEANUP(buffer_fini) struct buffer line = BUFFER_EMPTY;
        const struct skips *skips = &report->skips[i];
        buffer_puts(&line, skips->first);
        if (skips->count > 1)
            buffer_printf(&line, "%s: %" PRIu64 " more skipped: %s\n", skips->job->name,
                          skips->count - 1, skips->reason);
        writer_append(report->writer, line.bytes, line.length);
    }
    /* Where standard error has failed, like a terminal that is gone, nobody is left to tell. */
    struct error error;
    const struct ready_wish now = {.fd = STDERR_FILENO, .events = POLLOUT, .stop_fd = -1};
    if (!writer_destroy(&report->writer, &error) && strcmp(error.code, "dropped") == 0 &&
        ready_wait(&now) == READY_NOW)
        output_error("cannot write to standard error: %s", error.message);
}

static uint32_t ended(const struct job *job, enum task_state state)
{
    return atomic_load(&job->ended[state]);
}

/* A stopped run may leave a reader behind that still adds to a streamed job. */
static uint32_t tasks_of(const struct job *job)
{
    uint32_t total = atomic_load(&job->total);
    return total > 0 ? total : atomic_load(&job->submitted);
}

/* A reader that was left behind may still name a job that has no tasks. */
static const char *name_of(const struct job *job, const struct host *host)
{
    return tasks_of(job) > 0 || !host_reading(host) ? job->name : job->file;
}

/* What a run with a state leaves to the next one, and what it was spared. */
static void print_resumed(const struct job *job)
{
    uint32_t left = tasks_of(job), before = atomic_load(&job->recalled);

    for (int state = TASK_SUCCEEDED; state <= TASK_SKIPPED; state++)
        left -= ended(job, (enum task_state)state);
    if (left > 0)
        printf(", %u left", left);
    if (before > 0)
        printf(", %u of these in earlier runs", before);
}

static void print_text(const struct job *job, const char *called, double seconds)
{
    static const enum task_state others[] = {TASK_FAILED, TASK_TIMED_OUT, TASK_CRASHED,
                                             TASK_CANCELLED, TASK_SKIPPED};
    uint32_t tasks = tasks_of(job);
    CLEANUP(cleanup_free) char *name = utf8_clean(called, strlen(called));

    printf("%s: %u task%s: %u succeeded", name, tasks, tasks == 1 ? "" : "s",
           ended(job, TASK_SUCCEEDED));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (ended(job, others[i]) > 0)
            printf(", %u %s", ended(job, others[i]), state_text(others[i]));
    print_resumed(job);
    printf(" in %.2f s\n", seconds);
}

static void print_json(struct report *report, const struct job *job, const char *name,
                       double seconds)
{
    json_t *failures = json_array();
    uint32_t listed = ended(job, TASK_FAILED) + ended(job, TASK_TIMED_OUT) +
                      ended(job, TASK_CRASHED) + ended(job, TASK_SKIPPED);

    for (size_t i = 0; i < report->failures_count; i++)
        if (report->failures[i].job == job)
            json_array_append(failures, report->failures[i].json);
    uint32_t omitted = listed - (uint32_t)json_array_size(failures);
    json_t *json = json_pack(
        "{so ss si si si si si si si sf so}", "job", json_text_or_null(name), "job_id", job->id,
        "tasks", (int)tasks_of(job), "succeeded", (int)ended(job, TASK_SUCCEEDED), "failed",
        (int)ended(job, TASK_FAILED), "timed_out", (int)ended(job, TASK_TIMED_OUT), "crashed",
        (int)ended(job, TASK_CRASHED), "cancelled", (int)ended(job, TASK_CANCELLED), "skipped",
        (int)ended(job, TASK_SKIPPED), "seconds", seconds, "failures", failures);
    if (omitted > 0)
        json_object_set_new(json, "failures_omitted", json_integer(omitted));
    output_json(json);
}

void report_jobs(struct report *report, struct host *host, double seconds)
{
    const struct job *job = NULL;

    while ((job = host_next_job(host, job)) != NULL)
        if (report->format == FORMAT_JSON)
            print_json(report, job, name_of(job, host), seconds);
        else if (!report->quiet)
            print_text(job, name_of(job, host), seconds);
}

void report_destroy(struct report **report)
{
    if (*report == NULL)
        return;
    struct report *gone = *report;
    *report = NULL;
    writer_destroy(&gone->writer, NULL);
    for (size_t i = 0; i < gone->failures_count; i++)
        json_decref(gone->failures[i].json);
    for (size_t i = 0; i < gone->skips_count; i++) {
        free(gone->skips[i].reason);
        free(gone->skips[i].first);
    }
    mutex_fini(&gone->lock);
    free(gone);
}
