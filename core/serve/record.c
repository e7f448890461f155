#include "serve/record.h"

#include <jansson.h>
#include <stdlib.h>

#include "accept/job.h"
#include "serve/json_text.h"
#include "support/clock.h"

static json_t *outputs_json(const struct buffer *outputs)
{
    return outputs == NULL ? json_object() : json_outputs(outputs->bytes, outputs->length);
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
        "{so so ss ss ss ss si so so so so sf sf so si}", "time", json_wall_time(clock_wall_ns()),
        "job", json_text_or_null(task->job->name), "job_id", task->job->id, "task", task->id,
        "type", task->type->name, "state", task_state_word(record->state), "attempt",
        ran ? (int)task->attempt : 0, "reason", json_text_or_null(attempt->reason), "message",
        json_text_or_null(attempt->message), "plugin", json_text_or_null(attempt->plugin),
        "version", json_text_or_null(attempt->version), "wait_seconds",
        seconds_between(waited_from_ns, waited_to_ns), "run_seconds",
        ran ? seconds_between(attempt->started_ns, attempt->ended_ns) : 0.0, "outputs",
        outputs_json(attempt->outputs), "line", (int)task->line);
    if (record->state == TASK_DELAYED)
        json_object_set_new(json, "retry_seconds", json_real((double)record->retry_ns / 1e9));
    return json;
}

static int buffer_dump(const char *bytes, size_t length, void *buffer)
{
    buffer_append(buffer, bytes, length);
    return 0;
}

void record_write(const struct outcome_record *record, struct buffer *line)
{
    json_t *object = record_json(record);

    if (object == NULL)
        abort();
    json_dump_callback(object, buffer_dump, line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    buffer_puts(line, "\n");
    json_decref(object);
}
