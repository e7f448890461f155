#include "cli/status_view.h"

#include <inttypes.h>
#include <string.h>

#include "cli/field.h"
#include "cli/job_line.h"
#include "cli/job_name.h"
#include "cli/pages.h"
#include "support/cleanup.h"
#include "support/utf8.h"

/* One more than are listed are asked for, to know whether there are more. */
struct failed_list {
    struct buffer text;
    size_t count;
    const char *file;
};

static bool visit_failed(void *context, const json_t *task)
{
    struct failed_list *list = context;

    if (list->count++ < STATUS_FAILED_MOST)
        job_line_put_failure(&list->text, task, list->file);
    return list->count <= STATUS_FAILED_MOST;
}

static bool list_failed(struct status_view *view, const json_t *job, struct failed_list *list,
                        int *code)
{
    static const char *const states[] = {"failed", "timed_out", "crashed"};

    list->file = field_text(job, "file");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        char query[64];
        snprintf(query, sizeof(query), "state=%s", states[i]);
        const struct pages pages = {
            .before = "/v1/jobs/",
            .name = view->id,
            .behind = "/tasks",
            .query = query,
            .key = "tasks",
            .visit = visit_failed,
            .context = list,
        };
        bool wanted = field_int(job, states[i]) > 0 && list->count <= STATUS_FAILED_MOST;
        if (wanted && !pages_visit(view->daemon, &pages, code))
            return false;
    }
    return true;
}

static bool write_job(struct status_view *view, const json_t *job, FILE *to, int *code)
{
    CLEANUP(buffer_fini) struct buffer counts = BUFFER_EMPTY;
    struct failed_list list = {.text = BUFFER_EMPTY};
    bool well = list_failed(view, job, &list, code);

    job_line_put_counts(&counts, job);
    if (well) {
        fprintf(to, "%s\n%s is %s, submitted %s\n", buffer_text(&counts), view->id,
                field_text(job, "state"), field_text(job, "submitted"));
        fputs(buffer_text(&list.text), to);
        if (list.count > STATUS_FAILED_MOST)
            fprintf(to, "... and more\n");
    }
    buffer_fini(&list.text);
    return well;
}

static json_t *ask_for(struct status_view *view, const char *before, int *code)
{
    const struct daemon_question question = {.before = before, .name = view->id};
    return daemon_ask(view->daemon, &question, code);
}

static void write_json(const json_t *json, FILE *to)
{
    json_dumpf(json, to, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fputc('\n', to);
}

static bool view_job(struct status_view *view, FILE *to, int *code)
{
    json_t *job = ask_for(view, "/v1/jobs/", code);
    bool well = job != NULL;

    view->is_over = strcmp(field_text(job, "state"), "over") == 0;
    if (well && view->options->format == FORMAT_JSON)
        write_json(job, to);
    else if (well)
        well = write_job(view, job, to, code);
    json_decref(job);
    return well;
}

static void write_line(FILE *to, const char *head, const char *text)
{
    CLEANUP(cleanup_free) char *clean = utf8_clean_line(text, strlen(text));

    if (clean[0] != '\0')
        fprintf(to, "%-9s %s\n", head, clean);
}

/* Outputs by name and size only: `sluice result` prints them. */
static void write_outputs(const json_t *task, FILE *to)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    json_t *outputs = json_object_get(task, "outputs");
    const char *name;
    json_t *output;

    json_object_foreach(outputs, name, output) buffer_printf(
        &text, "%s%s (%zu bytes)", text.length > 0 ? ", " : "", name, json_string_length(output));
    write_line(to, "outputs", buffer_text(&text));
}

static void write_task(const json_t *task, FILE *to)
{
    static const char *const keys[] = {"task",   "type",    "state",  "line",    "priority",
                                       "weight", "timeout", "due",    "started", "ended",
                                       "labels", "params",  "reason", "message"};
    CLEANUP(buffer_fini) struct buffer attempts = BUFFER_EMPTY;
    const json_t *list = json_object_get(task, "attempts");

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        CLEANUP(cleanup_free) char *shown = field_shown(task, keys[i]);
        if (strcmp(shown, "{}") != 0)
            write_line(to, keys[i], job_line_state(shown));
    }
    write_outputs(task, to);
    if (field_int(task, "log_bytes") > 0)
        fprintf(to, "%-9s %" PRId64 " bytes\n", "log", field_int(task, "log_bytes"));
    for (size_t i = 0; i < json_array_size(list); i++)
        job_line_put_attempt(&attempts, json_array_get(list, i));
    fputs(buffer_text(&attempts), to);
}

static bool view_task(struct status_view *view, FILE *to, int *code)
{
    json_t *task = ask_for(view, "/v1/tasks/", code);

    if (task == NULL)
        return false;
    view->is_over = json_is_string(json_object_get(task, "ended"));
    if (view->options->format == FORMAT_JSON)
        write_json(task, to);
    else
        write_task(task, to);
    json_decref(task);
    return true;
}

bool status_view_write(struct status_view *view, FILE *to, int *code)
{
    view->is_over = false;
    if (view->id == NULL)
        return status_view_daemon(view, to, code);
    return job_name_is_task(view->id) ? view_task(view, to, code) : view_job(view, to, code);
}
