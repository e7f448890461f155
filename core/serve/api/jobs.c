/* Jobs: lists, counts, tasks, cancelling. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/internal.h"
#include "serve/stored_json.h"

struct job_page {
    json_t *jobs;
    uint32_t limit;
    const char *after; /* the id behind which it begins; NULL: it has begun */
    int over;          /* only those that are (1) or are not (0); -1: all */
    bool more;
    char last[JOB_ID_BYTES];
};

static bool is_over(const struct store_job *job)
{
    return job->sealed && job->by_state[STORE_UNFINISHED] == 0;
}

static bool add_job(void *context, const struct store_job *job)
{
    struct job_page *page = context;

    if (page->after != NULL) {
        if (strcmp(page->after, job->given.id) == 0)
            page->after = NULL;
        return true;
    }
    if (page->over >= 0 && is_over(job) != (page->over == 1))
        return true;
    page->more = json_array_size(page->jobs) == page->limit;
    if (page->more)
        return false;
    json_array_append_new(page->jobs, stored_job_json(job));
    memcpy(page->last, job->given.id, sizeof(page->last));
    return true;
}

/* False: answered. */
static bool read_state(struct http_request *request, int *over)
{
    const char *state = http_query(request, "state");

    *over = state == NULL ? -1 : strcmp(state, "over") == 0;
    if (state == NULL || *over == 1 || strcmp(state, "unfinished") == 0)
        return true;
    http_refuse(request, 400, "invalid_query", "state is '%s', allowed are unfinished and over",
                state);
    return false;
}

void api_job_list(void *context, struct http_request *request)
{
    struct api *api = context;
    struct job_page page = {.after = http_query(request, "after")};
    struct error error;

    page.limit = api_limit(request); /* 0: it is answered, and nobody's any more */
    if (page.limit == 0 || !read_state(request, &page.over))
        return;
    page.jobs = json_array();
    if (!store_visit_jobs(host_stages(api->host)->store, add_job, &page, &error)) {
        json_decref(page.jobs);
        api_store_failed(request, &error);
        return;
    }
    http_answer_json(request, 200,
                     json_pack("{so so}", "jobs", page.jobs, "next",
                               page.more ? json_string(page.last) : json_null()));
}

static bool take_json(void *context, const struct store_job *job)
{
    *(json_t **)context = stored_job_json(job);
    return false;
}

void api_job_show(void *context, struct http_request *request)
{
    struct api *api = context;
    const char *id = http_path(request, "job");
    json_t *json = NULL;
    struct error error;

    if (!store_find_job(host_stages(api->host)->store, id, take_json, &json, &error))
        api_store_failed(request, &error);
    else if (json == NULL)
        http_refuse(request, 404, "not_found", "no job '%s'", id);
    else
        http_answer_json(request, 200, json);
}

void api_job_cancel(void *context, struct http_request *request)
{
    struct api *api = context;
    const char *id = http_path(request, "job");
    struct error error;
    uint64_t key;

    switch (host_cancel_job(api->host, id, &error)) {
    case HOST_CANCELS:
        http_answer_json(request, 202, json_pack("{ss ss}", "job", id, "state", "cancelling"));
        break;
    case HOST_CANCELS_UNWRITTEN:
        http_refuse(request, 503, "store_failed",
                    "job '%s' is being cancelled, but would go on after a restart: %s", id,
                    error.message);
        break;
    case HOST_HAS_NO_SUCH_JOB:
        if (api_job_key(api, request, &key))
            http_refuse(request, 409, "ended", "job '%s' is over", id);
        break;
    }
}

struct task_page {
    json_t *tasks;
    uint32_t limit;
    uint32_t last;
    bool more;
};

static bool add_task(void *context, const struct store_task *task)
{
    struct task_page *page = context;

    page->more = json_array_size(page->tasks) == page->limit;
    if (page->more)
        return false;
    json_array_append_new(page->tasks, stored_task_json(task, NULL));
    page->last = task->number;
    return true;
}

/* The host knows better than the store where an unfinished task is just now. */
static void put_live_states(struct api *api, json_t *tasks)
{
    json_t *task;
    size_t i;

    json_array_foreach(tasks, i, task)
    {
        const char *state = json_string_value(json_object_get(task, "state"));
        const char *name = json_string_value(json_object_get(task, "task"));
        const char *now = strcmp(state, store_state_word(STORE_UNFINISHED)) == 0
                              ? api_live_state(api, name)
                              : NULL;
        if (now != NULL)
            json_object_set_new(task, "state", json_string(now));
    }
}

/* False: answered. */
static bool read_filters(struct http_request *request, struct store_query *query)
{
    const char *state = http_query(request, "state"), *after = http_query(request, "after");
    int found = state == NULL ? -1 : store_state_find(state);
    char *end;

    query->type = http_query(request, "type");
    if (state != NULL && found < 0) {
        http_refuse(request, 400, "invalid_query",
                    "state is '%s', allowed are unfinished, succeeded, failed, timed_out, crashed, "
                    "cancelled, skipped",
                    state);
        return false;
    }
    if (found >= 0)
        query->states = STORE_SET((enum store_state)found);
    if (after == NULL)
        return true;
    unsigned long number = strtoul(after, &end, 10);
    query->resume = true;
    query->after = (struct store_position){query->job, (uint32_t)number};
    if (isdigit((unsigned char)after[0]) && *end == '\0' && number < UINT32_MAX)
        return true;
    http_refuse(request, 400, "invalid_query", "after is '%s', allowed is what `next' said", after);
    return false;
}

void api_job_tasks(void *context, struct http_request *request)
{
    struct api *api = context;
    struct task_page page = {.limit = api_limit(request)};
    struct store_query query = {0};
    struct error error;
    char next[16];

    if (page.limit == 0 || !api_job_key(api, request, &query.job) || !read_filters(request, &query))
        return;
    page.tasks = json_array();
    if (!store_visit(host_stages(api->host)->store, &query, add_task, &page, &error)) {
        json_decref(page.tasks);
        api_store_failed(request, &error);
        return;
    }
    put_live_states(api, page.tasks);
    snprintf(next, sizeof(next), "%" PRIu32, page.last);
    http_answer_json(request, 200,
                     json_pack("{so so}", "tasks", page.tasks, "next",
                               page.more ? json_string(next) : json_null()));
}
