/* What `status` shows of the whole daemon. */
#include <inttypes.h>
#include <string.h>

#include "cli/field.h"
#include "cli/pages.h"
#include "cli/status_view.h"
#include "cli/table.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/units.h"

enum { NUMBER_BYTES = 24 };

struct number {
    char text[NUMBER_BYTES];
};

static struct number number(int64_t value)
{
    struct number number;
    snprintf(number.text, sizeof(number.text), "%" PRId64, value);
    return number;
}

/* What is none is not shown. */
static void write_count(FILE *to, const char **between, int64_t count, const char *what)
{
    if (count == 0)
        return;
    fprintf(to, "%s%" PRId64 " %s", *between, count, what);
    *between = ", ";
}

static void write_tasks(const json_t *tasks, FILE *to)
{
    static const char *const now[] = {"waiting", "delayed", "parked", "queued", "running", "stuck"};
    static const char *const ended[] = {"succeeded", "failed",    "timed_out",
                                        "crashed",   "cancelled", "skipped"};
    const char *between = ": ";

    fprintf(to, "tasks     %" PRId64 " unfinished", field_int(tasks, "unfinished"));
    for (size_t i = 0; i < sizeof(now) / sizeof(now[0]); i++)
        write_count(to, &between, field_int(tasks, now[i]), now[i]);
    between = "; since the start ";
    for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++)
        write_count(to, &between, field_int(tasks, ended[i]), ended[i]);
    fprintf(to, "\n");
}

static void write_head(const json_t *status, FILE *to)
{
    const json_t *admission = json_object_get(status, "admission");
    const json_t *inbound = json_object_get(status, "inbound");
    const json_t *pending = json_object_get(status, "pending");
    int64_t seconds = (int64_t)field_number(status, "uptime_seconds");
    bool sane = seconds >= 0 && seconds < INT64_MAX / NS_PER_S;
    char uptime[32];

    fprintf(to, "daemon    %s, pid %" PRId64 ", up %s, %s%s\n", field_text(status, "version"),
            field_int(status, "pid"),
            units_format_duration(sane ? seconds * NS_PER_S : 0, uptime, sizeof(uptime)),
            field_text(status, "scheduler"), field_is_true(status, "stopping") ? ", stopping" : "");
    write_tasks(json_object_get(status, "tasks"), to);
    fprintf(to, "weight    %" PRId64 " of %" PRId64 " in use, %" PRId64 " groups wait for it\n",
            field_int(admission, "in_use"), field_int(admission, "capacity"),
            field_int(admission, "waiting"));
    fprintf(to,
            "room      inbound %" PRId64 " of %" PRId64 ", pending %" PRId64 " of %" PRId64 "\n",
            field_int(inbound, "length"), field_int(inbound, "capacity"),
            field_int(pending, "taken"), field_int(pending, "capacity"));
}

static void add_job(struct table *table, const json_t *job)
{
    static const char *const others[] = {"failed", "timed_out", "crashed", "cancelled", "skipped"};
    int64_t wrong = 0;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        wrong += field_int(job, others[i]);
    table_add(table,
              (const char *const[]){field_text(job, "id"), field_text(job, "name"),
                                    field_text(job, "state"), number(field_int(job, "tasks")).text,
                                    number(field_int(job, "unfinished")).text,
                                    number(field_int(job, "succeeded")).text, number(wrong).text,
                                    field_text(job, "submitted")});
}

/* A ring of the newest rows, and the id of the one before them. */
struct newest {
    json_t *rows[STATUS_OVER_MOST];
    size_t count;
    char *before; /* JOB_ID_BYTES of the view's */
};

static bool keep_newest(void *context, const json_t *job)
{
    struct newest *newest = context;
    json_t **row = &newest->rows[newest->count++ % STATUS_OVER_MOST];

    if (*row != NULL)
        snprintf(newest->before, JOB_ID_BYTES, "%s", field_text(*row, "id"));
    json_decref(*row);
    *row = json_incref((json_t *)job);
    return true;
}

static bool add_over(struct status_view *view, struct table *table, int *code)
{
    CLEANUP(cleanup_free) char *after = strdup(view->over_after);
    struct newest newest = {.before = view->over_after};
    const struct pages pages = {
        .before = "/v1/jobs",
        .query = "state=over",
        .key = "jobs",
        .after = after,
        .visit = keep_newest,
        .context = &newest,
    };
    bool well = pages_visit(view->daemon, &pages, code);

    for (size_t i = 0; i < STATUS_OVER_MOST; i++) {
        json_t *row = newest.rows[(newest.count + i) % STATUS_OVER_MOST];
        if (row != NULL)
            add_job(table, row);
        json_decref(row);
    }
    return well;
}

static bool add_unfinished(void *context, const json_t *job)
{
    struct table *table = context;

    add_job(table, job);
    return table->rows <= STATUS_UNFINISHED_MOST;
}

static bool write_jobs(struct status_view *view, const json_t *status, FILE *to, int *code)
{
    CLEANUP(table_fini) struct table table;
    const struct pages pages = {
        .before = "/v1/jobs",
        .query = "state=unfinished",
        .key = "jobs",
        .visit = add_unfinished,
        .context = &table,
    };
    int64_t unfinished = field_int(json_object_get(status, "jobs"), "unfinished");

    table_init(&table, 8);
    table_add(&table, (const char *const[]){"JOB", "NAME", "STATE", "TASKS", "LEFT", "SUCCEEDED",
                                            "OTHERS", "SUBMITTED"});
    if (!pages_visit(view->daemon, &pages, code) || !add_over(view, &table, code))
        return false;
    if (table.rows > 1) {
        fputc('\n', to);
        table_print(&table, to);
    }
    if (unfinished > STATUS_UNFINISHED_MOST)
        fprintf(to, "... %" PRId64 " jobs are unfinished\n", unfinished);
    return true;
}

static void add_group(struct table *table, const json_t *group)
{
    char weight[2 * NUMBER_BYTES];
    int64_t most = field_int(group, "max_weight");

    snprintf(weight, sizeof(weight), most > 0 ? "%" PRId64 " of %" PRId64 : "%" PRId64,
             field_int(group, "weight_in_use"), most);
    table_add(table,
              (const char *const[]){
                  field_text(group, "name"), field_text(group, "type"),
                  number(field_int(group, "workers")).text,
                  number(field_int(group, "running")).text, number(field_int(group, "queued")).text,
                  field_int(group, "stuck") > 0 ? number(field_int(group, "stuck")).text : "",
                  weight, field_is_true(group, "paused") ? "paused" : ""});
}

static bool write_groups(struct status_view *view, FILE *to, int *code)
{
    const struct daemon_question question = {.before = "/v1/groups"};
    CLEANUP(table_fini) struct table table;
    json_t *answer = daemon_ask(view->daemon, &question, code);
    const json_t *groups = json_object_get(answer, "groups");

    table_init(&table, 8);
    table_add(&table, (const char *const[]){"GROUP", "TYPE", "WORKERS", "RUNNING", "QUEUED",
                                            "STUCK", "WEIGHT", "STATE"});
    for (size_t i = 0; i < json_array_size(groups); i++)
        add_group(&table, json_array_get(groups, i));
    if (table.rows > 1) {
        fputc('\n', to);
        table_print(&table, to);
    }
    json_decref(answer);
    return answer != NULL;
}

/* Only those about which there is something to say: draining, refused. */
static bool write_plugins(struct status_view *view, FILE *to, int *code)
{
    const struct daemon_question question = {.before = "/v1/plugins"};
    CLEANUP(table_fini) struct table table;
    json_t *answer = daemon_ask(view->daemon, &question, code);
    const json_t *plugins = json_object_get(answer, "plugins");

    table_init(&table, 6);
    table_add(&table,
              (const char *const[]){"PLUGIN", "VERSION", "GENERATION", "STATE", "FILE", "REASON"});
    for (size_t i = 0; i < json_array_size(plugins); i++) {
        const json_t *plugin = json_array_get(plugins, i);
        if (strcmp(field_text(plugin, "state"), "draining") != 0 &&
            field_text(plugin, "reason")[0] == '\0')
            continue;
        table_add(&table,
                  (const char *const[]){field_text(plugin, "plugin"), field_text(plugin, "version"),
                                        number(field_int(plugin, "generation")).text,
                                        field_text(plugin, "state"), field_text(plugin, "file"),
                                        field_text(plugin, "reason")});
    }
    if (table.rows > 1) {
        fputc('\n', to);
        table_print(&table, to);
    }
    json_decref(answer);
    return answer != NULL;
}

bool status_view_daemon(struct status_view *view, FILE *to, int *code)
{
    const struct daemon_question question = {.before = "/v1/status"};
    json_t *status = daemon_ask(view->daemon, &question, code);
    bool well = status != NULL;

    if (well && view->options->format == FORMAT_JSON) {
        json_dumpf(status, to, JSON_COMPACT | JSON_REAL_PRECISION(9));
        fputc('\n', to);
    } else if (well) {
        write_head(status, to);
        well = write_jobs(view, status, to, code) && write_groups(view, to, code) &&
               write_plugins(view, to, code);
    }
    json_decref(status);
    return well;
}
