#include <inttypes.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/dead_filter.h"
#include "cli/field.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "cli/table.h"
#include "support/cleanup.h"

struct list {
    struct options *common;
    struct dead_filter filter;
    struct table table;
    json_t *tasks;
    int64_t dropped;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct list *list = state->input;

    (void)argument;
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = &list->filter;
    state->child_inputs[1] = list->common;
    return 0;
}

static const struct argp argp = {
    .parser = parse,
    .doc = "Lists the dead letters: tasks that failed, timed out or crashed for good."
           "\vFor example:\n\n"
           "  sluice dead list --type mail --since 2h\n\n"
           "Exit code: 0; 2 wrong usage; 3 there is no daemon.\n",
    .children = dead_filter_children,
};

static bool visit(void *context, const json_t *task)
{
    struct list *list = context;

    if (list->common->format == FORMAT_JSON)
        json_array_append(list->tasks, (json_t *)task);
    else
        table_add(&list->table,
                  (const char *const[]){field_text(task, "task"), field_text(task, "type"),
                                        field_text(task, "state"), field_text(task, "ended"),
                                        field_text(task, "reason"), field_text(task, "message")});
    return true;
}

static void note(void *context, const json_t *answer)
{
    struct list *list = context;

    list->dropped = field_int(answer, "dropped");
}

static void print_text(const struct list *list)
{
    if (list->table.rows > 1)
        table_print(&list->table, stdout);
    else if (!list->common->quiet)
        puts("no dead letters");
    if (list->dropped > 0)
        printf("%" PRId64 " older one%s dropped since the daemon started: there were too many\n",
               list->dropped, list->dropped == 1 ? " was" : "s were");
}

static void print(const struct list *list)
{
    if (list->common->format == FORMAT_JSON)
        output_json(
            json_pack("{sO sI}", "tasks", list->tasks, "dropped", (json_int_t)list->dropped));
    else
        print_text(list);
}

static void list_fini(struct list *list)
{
    table_fini(&list->table);
    json_decref(list->tasks);
}

int command_dead_list(struct options *common, int argc, char **argv)
{
    CLEANUP(list_fini) struct list list = {.common = common, .tasks = json_array()};
    CLEANUP(buffer_fini) struct buffer query = BUFFER_EMPTY;
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &list);
    table_init(&list.table, 6);
    table_add(&list.table,
              (const char *const[]){"TASK", "TYPE", "STATE", "ENDED", "REASON", "MESSAGE"});
    dead_filter_put_query(&list.filter, &query);
    const struct pages pages = {
        .before = "/v1/dead",
        .query = query.length > 0 ? buffer_text(&query) : NULL,
        .key = "tasks",
        .visit = visit,
        .note = note,
        .context = &list,
    };
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(common, &code);
    if (daemon == NULL || !pages_visit(daemon, &pages, &code))
        return code;
    print(&list);
    return EXIT_ALL_WELL;
}
