#include "cli/follow_end.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/field.h"
#include "cli/job_line.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "support/cleanup.h"
#include "support/clock.h"

/* The states of failures, in the order in which they are asked for. */
static const char *const failed[] = {"failed", "timed_out", "crashed"};
enum { FAILED_COUNT = sizeof(failed) / sizeof(failed[0]) };

static bool is_failed(const json_t *task)
{
    for (size_t i = 0; i < FAILED_COUNT; i++)
        if (strcmp(field_text(task, "state"), failed[i]) == 0)
            return true;
    return false;
}

/* In a list a task has its bare id apart; an event has no other. */
static const char *id_of(const json_t *task)
{
    const char *id = field_text(task, "id");
    return id[0] != '\0' ? id : field_text(task, "task");
}

static void print_task(const struct follow_end *end, const json_t *task)
{
    CLEANUP(buffer_fini) struct buffer line = BUFFER_EMPTY;

    job_line_put_failure(&line, task, end->follow->file);
    fputs(buffer_text(&line), stderr);
}

void follow_end_tell(struct follow_end *end, const json_t *task)
{
    if (end->follow->options->format == FORMAT_JSON || !is_failed(task) ||
        json_object_size(end->told) == FOLLOW_TOLD_MOST ||
        json_object_get(end->told, id_of(task)) != NULL)
        return;
    json_object_set_new(end->told, id_of(task), json_true());
    print_task(end, task);
}

static bool visit_failed(void *context, const json_t *task)
{
    struct follow_end *end = context;

    follow_end_tell(end, task);
    return json_object_size(end->told) < FOLLOW_TOLD_MOST;
}

/* What is skipped may be most of a job: a line for each reason is enough. */
static bool visit_skipped(void *context, const json_t *task)
{
    struct follow_end *end = context;
    const char *reason = field_text(task, "reason");

    if (json_object_get(end->reasons, reason) == NULL) {
        json_object_set_new(end->reasons, reason, json_true());
        print_task(end, task);
    }
    return ++end->skipped_seen < PAGES_ROWS;
}

static bool visit_json(void *context, const json_t *task)
{
    struct follow_end *end = context;
    const char *task_id = field_text(task, "id");

    json_t *one =
        json_pack("{ss ss si ss ss ss si}", "task", task_id, "type", field_text(task, "type"),
                  "attempt", (int)field_int(task, "attempt"), "state", field_text(task, "state"),
                  "reason", field_text(task, "reason"), "message", field_text(task, "message"),
                  "line", (int)field_int(task, "line"));
    json_array_append_new(end->failures, one);
    return json_array_size(end->failures) < FOLLOW_FAILURES_MOST;
}

static bool ask(struct follow_end *end, const char *state,
                bool (*visit)(void *context, const json_t *task))
{
    char query[64];
    int code;
    const struct pages pages = {
        .before = "/v1/jobs/",
        .name = end->follow->job,
        .behind = "/tasks",
        .query = query,
        .key = "tasks",
        .visit = visit,
        .context = end,
    };

    snprintf(query, sizeof(query), "state=%s", state);
    return pages_visit(end->follow->daemon, &pages, &code);
}

/* Prints the failures that no event told of, then the reasons for skips; false: the daemon does not
 * tell, or not all. */
static bool say_failures(struct follow_end *end, const json_t *job)
{
    int64_t skipped = field_int(job, "skipped");
    int64_t all = 0;

    for (size_t i = 0; i < FAILED_COUNT; i++)
        all += field_int(job, failed[i]);
    bool told = (int64_t)json_object_size(end->told) >= all;
    for (size_t i = 0; i < FAILED_COUNT && !told; i++)
        if (field_int(job, failed[i]) > 0 && !ask(end, failed[i], visit_failed))
            return false;
    int64_t more = all - (int64_t)json_object_size(end->told);
    if (more > 0)
        output_error("%" PRId64 " more have failed: see `sluice status %s'", more,
                     end->follow->job);
    end->reasons = json_object();
    if (skipped > 0 && !ask(end, "skipped", visit_skipped))
        return false;
    more = skipped - (int64_t)json_object_size(end->reasons);
    if (more > 0)
        fprintf(stderr, "%s: %" PRId64 " more skipped\n", end->follow->name, more);
    return true;
}

static double seconds_since(const struct follow *follow)
{
    return (double)(clock_now_ns() - follow->begun_ns) / 1e9;
}

static void say_text(struct follow_end *end, const json_t *job)
{
    CLEANUP(buffer_fini) struct buffer line = BUFFER_EMPTY;
    double seconds = seconds_since(end->follow);

    if (!say_failures(end, job))
        output_error("not all of what did not succeed in %s is listed", end->follow->name);
    job_line_put_counts(&line, job);
    if (!end->follow->options->quiet)
        printf("%s in %.2f s\n", buffer_text(&line), seconds);
}

static void say_json(struct follow_end *end, const json_t *job)
{
    static const char *const counts[] = {"tasks",   "succeeded", "failed", "timed_out",
                                         "crashed", "cancelled", "skipped"};
    static const char *const listed[] = {"failed", "timed_out", "crashed", "skipped"};
    json_t *json = json_pack("{ss ss sf}", "job", field_text(job, "name"), "job_id",
                             end->follow->job, "seconds", seconds_since(end->follow));
    int64_t all = 0;
    bool well = true;

    end->failures = json_array();
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        json_object_set_new(json, counts[i], json_integer(field_int(job, counts[i])));
    for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]) && well; i++) {
        all += field_int(job, listed[i]);
        if (field_int(job, listed[i]) > 0 && json_array_size(end->failures) < FOLLOW_FAILURES_MOST)
            well = ask(end, listed[i], visit_json);
    }
    int64_t omitted = all - (int64_t)json_array_size(end->failures);
    json_object_set(json, "failures", end->failures);
    if (omitted > 0)
        json_object_set_new(json, "failures_omitted", json_integer(omitted));
    output_json(json);
}

int follow_end_say(struct follow_end *end, const json_t *job)
{
    if (end->follow->options->format == FORMAT_JSON)
        say_json(end, job);
    else
        say_text(end, job);
    return field_int(job, "succeeded") == field_int(job, "tasks") ? EXIT_ALL_WELL : EXIT_TASKS;
}

void follow_end_fini(struct follow_end *end)
{
    json_decref(end->told);
    json_decref(end->failures);
    json_decref(end->reasons);
}
