#include "cli/job_line.h"

#include <inttypes.h>
#include <string.h>

#include "cli/field.h"
#include "support/cleanup.h"
#include "support/utf8.h"

static void put_clean(struct buffer *text, const char *from)
{
    CLEANUP(cleanup_free) char *clean = utf8_clean_line(from, strlen(from));
    buffer_puts(text, clean);
}

const char *job_line_state(const char *state)
{
    return strcmp(state, "timed_out") == 0 ? "timed out" : state;
}

void job_line_put_counts(struct buffer *text, const json_t *job)
{
    static const char *const others[] = {"failed",    "timed_out", "crashed",
                                         "cancelled", "skipped",   "unfinished"};
    int64_t tasks = field_int(job, "tasks");

    put_clean(text, field_text(job, "name"));
    buffer_printf(text, ": %" PRId64 " task%s: %" PRId64 " succeeded", tasks, tasks == 1 ? "" : "s",
                  field_int(job, "succeeded"));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (field_int(job, others[i]) > 0)
            buffer_printf(text, ", %" PRId64 " %s", field_int(job, others[i]),
                          job_line_state(others[i]));
}

/* ": reason: message", as far as they are there. */
static void put_reason(struct buffer *text, const json_t *from)
{
    static const char *const keys[] = {"reason", "message"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (field_text(from, keys[i])[0] != '\0') {
            buffer_puts(text, ": ");
            put_clean(text, field_text(from, keys[i]));
        }
}

void job_line_put_failure(struct buffer *text, const json_t *task, const char *file)
{
    const char *id = field_text(task, "id");
    int64_t line = field_int(task, "line"), attempt = field_int(task, "attempt");

    put_clean(text, file);
    if (line > 0)
        buffer_printf(text, ":%" PRId64, line);
    buffer_puts(text, ": task '");
    put_clean(text, id[0] != '\0' ? id : field_text(task, "task"));
    buffer_puts(text, "' (");
    put_clean(text, field_text(task, "type"));
    buffer_puts(text, ") ");
    put_clean(text, job_line_state(field_text(task, "state")));
    if (attempt > 0 && strcmp(field_text(task, "state"), "skipped") != 0)
        buffer_printf(text, ", attempt %" PRId64, attempt);
    put_reason(text, task);
    buffer_puts(text, "\n");
}

void job_line_put_attempt(struct buffer *text, const json_t *attempt)
{
    const char *ended = field_text(attempt, "ended");

    buffer_printf(text, "attempt %" PRId64 ", ", field_int(attempt, "attempt"));
    put_clean(text, field_text(attempt, "started"));
    buffer_puts(text, ended[0] != '\0' ? " to " : " until now");
    put_clean(text, ended);
    if (json_is_false(json_object_get(attempt, "charged")))
        buffer_puts(text, ", not counted");
    put_reason(text, attempt);
    buffer_puts(text, "\n");
}
