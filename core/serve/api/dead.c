/* Dead letters: tasks that have failed for good. */
#include <inttypes.h>
#include <stdio.h>

#include "serve/api/dead_filter.h"
#include "serve/api/internal.h"
#include "serve/json_text.h"
#include "serve/stored_json.h"
#include "support/cleanup.h"

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
        after[length] == '\0' && query->after.job <= INT64_MAX && number < UINT32_MAX) {
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
    struct store *store = host_stages(api->host)->store;
    struct page page = {.limit = limit, .tasks = json_array()};
    struct store_counts counts;
    struct error error;
    char next[48];

    if (!store_visit(store, query, add_task, &page, &error) ||
        !store_count(store, &counts, &error)) {
        json_decref(page.tasks);
        api_store_failed(request, &error);
        return;
    }
    snprintf(next, sizeof(next), "%" PRIu64 ".%" PRIu32, page.last.job, page.last.number);
    http_answer_json(request, 200,
                     json_pack("{so so sI}", "tasks", page.tasks, "next",
                               page.more ? json_string(next) : json_null(), "dropped",
                               (json_int_t)counts.dead_dropped));
}

void api_dead_list(void *context, struct http_request *request)
{
    CLEANUP(dead_filter_fini) struct dead_filter filter = {0};
    uint32_t limit = api_limit(request);

    if (limit > 0 && dead_filter_read_query(&filter, request) && read_after(request, &filter.query))
        answer_page(context, request, &filter.query, limit);
}

static bool count_one(void *context, const struct store_task *task)
{
    (void)task;
    ++*(uint64_t *)context;
    return true;
}

/* What would be done, and for how many. */
static void preview(struct api *api, struct http_request *request, const struct store_query *query)
{
    struct error error;
    uint64_t count = 0;

    if (store_visit(host_stages(api->host)->store, query, count_one, &count, &error))
        http_answer_json(request, 200, json_pack("{sI}", "tasks", (json_int_t)count));
    else
        api_store_failed(request, &error);
}

static void retry(struct api *api, struct http_request *request, const struct store_query *query)
{
    struct host_retried retried;
    struct error error;

    if (!host_retry(api->host, query, &retried, &error)) {
        api_store_failed(request, &error);
        return;
    }
    json_t *answer =
        json_pack("{sI sI}", "tasks", (json_int_t)retried.tasks, "left", (json_int_t)retried.left);
    if (retried.left > 0)
        json_object_set_new(answer, "why", json_text_or_null(retried.why.message));
    http_answer_json(request, 200, answer);
}

static void drop(struct api *api, struct http_request *request, const struct store_query *query)
{
    struct error error;
    uint64_t count;

    if (store_drop(host_stages(api->host)->store, query, &count, &error))
        http_answer_json(request, 200, json_pack("{sI}", "tasks", (json_int_t)count));
    else
        api_store_failed(request, &error);
}

/* Does something with all dead letters that the body picks, or only says how many they are. */
static void with_all(struct api *api, struct http_request *request,
                     void (*act)(struct api *api, struct http_request *request,
                                 const struct store_query *query))
{
    CLEANUP(dead_filter_fini) struct dead_filter filter = {0};
    json_t *body = api_body_object(request);

    if (body != NULL && dead_filter_read_body(&filter, request, body)) {
        if (filter.dry_run)
            preview(api, request, &filter.query);
        else if (atomic_load(&api->stopping))
            http_refuse(request, 503, "stopping", "the daemon stops");
        else
            act(api, request, &filter.query);
    }
    json_decref(body);
}

void api_dead_retry(void *context, struct http_request *request)
{
    with_all(context, request, retry);
}

void api_dead_drop(void *context, struct http_request *request)
{
    with_all(context, request, drop);
}
