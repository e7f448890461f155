#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/internal.h"

uint32_t api_limit(struct http_request *request)
{
    const char *text = http_query(request, "limit");
    char *end;

    if (text == NULL)
        return API_PAGE;
    errno = 0;
    long limit = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && limit >= 1 && limit <= API_PAGE_MOST)
        return (uint32_t)limit;
    http_refuse(request, 400, "invalid_query", "limit is '%s', allowed is 1 to %d", text,
                API_PAGE_MOST);
    return 0;
}

bool api_task_name(struct http_request *request, struct api_name *name)
{
    const char *path = http_path(request, "task"), *colon = strchr(path, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - path);

    if (length != JOB_ID_BYTES - 1 || colon[1] == '\0') {
        http_refuse(request, 404, "not_found", "'%s' is no task: its name is JOB:ID", path);
        return false;
    }
    memcpy(name->job, path, length);
    name->job[length] = '\0';
    name->task = colon + 1;
    return true;
}

static bool take_key(void *context, const struct store_job *job)
{
    *(uint64_t *)context = job->key;
    return false;
}

bool api_job_key(struct api *api, struct http_request *request, uint64_t *key)
{
    const char *id = http_path(request, "job");
    struct error error;

    *key = 0;
    if (!store_find_job(host_stages(api->host)->store, id, take_key, key, &error)) {
        api_store_failed(request, &error);
        return false;
    }
    if (*key == 0)
        http_refuse(request, 404, "not_found", "no job '%s'", id);
    return *key != 0;
}

struct seen {
    store_visit_task *visit;
    void *context;
    bool found;
};

static bool visit_one(void *context, const struct store_task *task)
{
    struct seen *seen = context;

    seen->found = true;
    seen->visit(seen->context, task);
    return false;
}

/* The place of a task that is in the host is known: nothing has to be searched for. */
static void narrow(struct api *api, const struct api_name *name, struct store_query *query)
{
    struct api_live live;

    if (!api_find_live(api, name, &live))
        return;
    uint32_t place = job_place(live.task);
    query->resume = place > 0;
    query->after = (struct store_position){query->job, place - 1};
    api_let_go(&live);
}

bool api_visit_task(struct api *api, const struct api_name *name, store_visit_task *visit,
                    void *context)
{
    struct store *store = host_stages(api->host)->store;
    struct seen seen = {.visit = visit, .context = context};
    struct store_query query = {.id = name->task, .limit = 1};
    struct error error;

    if (!store_find_job(store, name->job, take_key, &query.job, &error) || query.job == 0)
        return false;
    narrow(api, name, &query);
    return store_visit(store, &query, visit_one, &seen, &error) && seen.found;
}

void api_no_task(struct http_request *request)
{
    http_refuse(request, 404, "not_found", "no task '%s'", http_path(request, "task"));
}

void api_store_failed(struct http_request *request, const struct error *error)
{
    http_answer_error(request, 500, "store", error->message, NULL);
}

json_t *api_body_object(struct http_request *request)
{
    json_error_t error;
    size_t length;
    const char *body = http_body(request, &length);
    json_t *object = json_loadb(body, length, JSON_REJECT_DUPLICATES, &error);

    if (json_is_object(object))
        return object;
    if (object == NULL)
        http_refuse(request, 400, "invalid_json", "line %d, column %d: %s", error.line,
                    error.column, error.text);
    else
        http_refuse(request, 400, "invalid_json", "the body is no JSON object");
    json_decref(object);
    return NULL;
}

bool api_refuse_key(struct http_request *request, const char *key, const char *allowed)
{
    http_refuse(request, 422, "invalid_value", "'%s' is not right: allowed is %s", key, allowed);
    return false;
}
