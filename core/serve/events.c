#include "serve/events.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accept/job.h"
#include "serve/json_text.h"
#include "serve/writer.h"
#include "support/buffer.h"
#include "support/clock.h"

struct events {
    char *file;
    int fd;
    struct writer *writer;
};

struct events *events_create(const char *file, struct error *error)
{
    struct error reason = {0};
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0) {
        error_errno(error, "events", "cannot write events to %s", file);
        return NULL;
    }
    struct writer *writer = writer_create(fd, NULL, &reason);
    struct events *events = calloc(1, sizeof(*events));
    char *copy = strdup(file);
    if (events == NULL || copy == NULL)
        abort();
    *events = (struct events){.file = copy, .fd = fd, .writer = writer};
    if (writer == NULL) {
        events_destroy(&events, NULL);
        error_set(error, reason.code, "%s", reason.message);
    }
    return events;
}

bool events_destroy(struct events **events, struct error *error)
{
    struct error reason = {0};

    if (*events == NULL)
        return true;
    struct events *gone = *events;
    *events = NULL;
    bool written = writer_destroy(&gone->writer, &reason);
    /* Network file systems report a full disk only here. */
    if (close(gone->fd) != 0 && written)
        written = error_set(&reason, "write", "%s", strerror(errno));
    if (!written)
        error_set(error, "events", "cannot write events to %s: %s", gone->file, reason.message);
    free(gone->file);
    free(gone);
    return written;
}

static json_t *time_json(void)
{
    int64_t now_ns = clock_wall_ns();
    time_t seconds = (time_t)(now_ns / NS_PER_S);
    char date[32], text[48];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof(text), "%s.%06dZ", date, (int)(now_ns % NS_PER_S / NS_PER_US));
    return json_string(text);
}

/* outputs is name NUL text NUL ... */
static json_t *outputs_json(const struct buffer *outputs)
{
    json_t *object = json_object();
    const char *at = outputs == NULL ? NULL : outputs->bytes;
    const char *end = outputs == NULL ? NULL : at + outputs->length;

    while (at < end) {
        const char *text = at + strlen(at) + 1;
        size_t length = strlen(text);
        json_object_set_new(object, at, json_text(text, length));
        at = text + length + 1;
    }
    return object;
}

static double seconds_between(int64_t from_ns, int64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static json_t *record_json(const struct outcome_record *record)
{
    static const struct attempt none = {.reason = "", .message = ""};
    const struct attempt *attempt = record->attempt == NULL ? &none : record->attempt;
    const struct task *task = record->task;
    bool ran = attempt->plugin != NULL;
    int64_t waited_to_ns = attempt->started_ns > 0 ? attempt->started_ns : clock_now_ns();
    int64_t waited_from_ns = task->submitted_ns > 0 ? task->submitted_ns : waited_to_ns;

    json_t *json = json_pack(
        "{so so ss ss ss ss si so so so so sf sf so}", "time", time_json(), "job",
        json_text_or_null(task->job->name), "job_id", task->job->id, "task", task->id, "type",
        task->type->name, "state", task_state_word(record->state), "attempt",
        ran ? (int)task->attempt : 0, "reason", json_text_or_null(attempt->reason), "message",
        json_text_or_null(attempt->message), "plugin", json_text_or_null(attempt->plugin),
        "version", json_text_or_null(attempt->version), "wait_seconds",
        seconds_between(waited_from_ns, waited_to_ns), "run_seconds",
        ran ? seconds_between(attempt->started_ns, attempt->ended_ns) : 0.0, "outputs",
        outputs_json(attempt->outputs));
    if (record->state == TASK_DELAYED)
        json_object_set_new(json, "retry_seconds", json_real((double)record->retry_ns / 1e9));
    return json;
}

static int buffer_dump(const char *bytes, size_t length, void *buffer)
{
    buffer_append(buffer, bytes, length);
    return 0;
}

void events_add(struct events *events, const struct outcome_record *record)
{
    CLEANUP(buffer_fini) struct buffer line = BUFFER_EMPTY;
    json_t *object = record_json(record);

    if (object == NULL)
        abort();
    json_dump_callback(object, buffer_dump, &line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    buffer_puts(&line, "\n");
    json_decref(object);
    writer_append(events->writer, line.bytes, line.length);
}
