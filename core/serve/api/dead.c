/* Dead letters: tasks that have failed for good. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/internal.h"
#include "serve/stored_json.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/units.h"

/* The same filters in a query and in a body. */
struct filters {
    const char *type, *label, *error, *since;
};

/* False: answered. */
static bool read_since(struct http_request *request, const char *since, struct store_query *query)
{
    int64_t span_ns;

    if (since == NULL)
        return true;
    if (units_parse_duration(since, strlen(since), &span_ns)) {
        query->since_wall_ns = clock_wall_ns() - span_ns;
        return true;
    }
    if (units_parse_time(since, strlen(since), &query->since_wall_ns))
        return true;
    http_refuse(request, 400, "invalid_query",
                "since is '%s', allowed are a span such as 2h and a time such as "
                "2026-12-01T06:00:00Z",
                since);
    return false;
}

/* K=V is split into *label (malloc'ed), to which the query points. False: answered. */
static bool read_label(struct http_request *request, const char *pair, char **label,
                       struct store_query *query)
{
    if (pair == NULL)
        return true;
    *label = strdup(pair);
    if (*label == NULL)
        abort();
    char *equals = strchr(*label, '=');
    if (equals == NULL) {
        http_refuse(request, 400, "invalid_query", "label is '%s', allowed is KEY=VALUE", pair);
        return false;
    }
    *equals = '\0';
    query->label = *label;
    query->label_value = equals + 1;
    return true;
}

static bool read_filters(struct http_request *request, const struct filters *filters, char **label,
                         struct store_query *query)
{
    *query = (struct store_query){
        .states = STORE_DEAD_SET, .type = filters->type, .reason = filters->error};
    return read_since(request, filters->since, query) &&
           read_label(request, filters->label, label, query);
}

/* after is JOB-KEY.NUMBER, as `next' says. False: answered. */
static bool read_after(struct http_request *request, struct store_query *query)
{
    const char *after = http_query(request, "after");
    uint64_t number;
    int length = 0;

    if (after == NULL)
        return true;
    query->resume = true;
    if (sscanf(after, "%" SCNu64 ".%" SCNu64 "%n", &query->after.job, &number, &length) == 2 &&
        after[length] == '\0' && query->after.job <= UINT32_MAX && number < UINT32_MAX) {
        query->after.number = (uint32_t)number;
        return true;
    }
    http_refuse(request, 400, "invalid_query", "after is '%s', allowed is what `next' said", after);
    return false;
}

struct page {
    json_t *tasks;
    uint32_t limit;
    struct store_position last;
    bool more;
};

static bool add_task(void *context, const struct store_task *task)
{
    struct page *page = context;

    page->more = json_array_size(page->tasks) == page->limit;
    if (page->more)
        return false;
    json_array_append_new(page->tasks, stored_task_json(task, NULL));
    page->last = (struct store_position){task->job->key, task->number};
    return true;
}

static void answer_page(struct api *api, struct http_request *request,
                        const struct store_query *query, uint32_t limit)
{
    struct page page = {.limit = limit, .tasks = json_array()};
    struct error error;
    char next[48];

    if (!store_visit(host_stages(api->host)->store, query, add_task, &page, &error)) {
        json_decref(page.tasks);
        api_store_failed(request, &error);
        return;
    }
    snprintf(next, sizeof(next), "%" PRIu64 ".%" PRIu32, page.last.job, page.last.number);
    http_answer_json(request, 200,
                     json_pack("{so so}", "tasks", page.tasks, "next",
                               page.more ? json_string(next) : json_null()));
}

void api_dead_list(void *context, struct http_request *request)
{
    const struct filters filters = {.type = http_query(request, "type"),
                                    .label = http_query(request, "label"),
                                    .error = http_query(request, "error"),
                                    .since = http_query(request, "since")};
    struct store_query query;
    char *label = NULL;
    uint32_t limit = api_limit(request);

    if (limit > 0 && read_filters(request, &filters, &label, &query) && read_after(request, &query))
        answer_page(context, request, &query, limit);
    free(label);
}

/* The tasks to try again: they are taken up one by one afterwards. */
struct names {
    struct name {
        struct store_position at;
        char job[JOB_ID_BYTES], task[TASK_ID_MOST_BYTES + 1];
    } * items;
    size_t count, capacity;
};

static bool add_name(void *context, const struct store_task *task)
{
    struct names *names = context;

    if (names->count == names->capacity) {
        names->capacity = names->capacity == 0 ? 64 : names->capacity * 2;
        names->items = memory_grow(names->items, names->capacity, sizeof(*names->items));
    }
    struct name *name = &names->items[names->count++];
    name->at = (struct store_position){task->job->key, task->number};
    snprintf(name->job, sizeof(name->job), "%s", task->job->given.id);
    snprintf(name->task, sizeof(name->task), "%s", task->given.id);
    return true;
}

static size_t retry_all(struct api *api, struct names *names)
{
    struct error error;
    size_t count = 0;

    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->items[i];
        const struct host_dead dead = {name->job, name->task, &name->at};
        count += host_retry(api->host, &dead, &error);
    }
    return count;
}

static bool is_known(const char *key)
{
    static const char *const known[] = {"type", "label", "error", "since", "dry_run"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(key, known[i]) == 0)
            return true;
    return false;
}

/* False: answered. */
static bool check_keys(struct http_request *request, json_t *body)
{
    json_t *value;
    const char *key;

    json_object_foreach(body, key, value)
    {
        bool dry = strcmp(key, "dry_run") == 0;
        if (!is_known(key))
            return api_refuse_key(request, key, "type, label, error, since or dry_run");
        if (dry ? !json_is_boolean(value) : !json_is_string(value))
            return api_refuse_key(request, key, dry ? "true or false" : "a text");
    }
    return true;
}

static const char *text_of(json_t *body, const char *key)
{
    return json_string_value(json_object_get(body, key));
}

static void retry(struct api *api, struct http_request *request, json_t *body)
{
    const struct filters filters = {.type = text_of(body, "type"),
                                    .label = text_of(body, "label"),
                                    .error = text_of(body, "error"),
                                    .since = text_of(body, "since")};
    struct store_query query;
    struct names names = {0};
    struct error error;
    char *label = NULL;

    if (!check_keys(request, body) || !read_filters(request, &filters, &label, &query)) {
        free(label);
        return;
    }
    bool visited = store_visit(host_stages(api->host)->store, &query, add_name, &names, &error);
    bool dry = json_is_true(json_object_get(body, "dry_run"));
    size_t count = !visited || dry ? names.count : retry_all(api, &names);
    if (visited)
        http_answer_json(request, 200, json_pack("{sI}", "tasks", (json_int_t)count));
    else
        api_store_failed(request, &error);
    free(names.items);
    free(label);
}

void api_dead_retry(void *context, struct http_request *request)
{
    json_t *body = api_body_object(request);

    if (body != NULL)
        retry(context, request, body);
    json_decref(body);
}
