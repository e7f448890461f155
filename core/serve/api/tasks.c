/* One task: what is known of it, cancelling, trying again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/params.h"
#include "serve/api/internal.h"
#include "serve/json_text.h"
#include "serve/stored_json.h"
#include "serve/task_json.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/units.h"

/* A task on its way out of a visit of the store. */
struct shown {
    const char *now; /* its live state; NULL: not known */
    json_t *json;
    char *type;
    struct buffer params; /* its packed record */
};

static json_t *timeout_json(int64_t timeout_ns)
{
    char text[32];

    if (timeout_ns == 0)
        return json_null();
    return json_string(units_format_duration(timeout_ns, text, sizeof(text)));
}

static bool show(void *context, const struct store_task *task)
{
    struct shown *shown = context;

    shown->json = stored_task_json(task, shown->now);
    shown->type = strdup(task->given.type);
    if (shown->type == NULL)
        abort();
    buffer_append(&shown->params, task->given.params, task->given.params_bytes);
    json_object_set_new(shown->json, "timeout", timeout_json(task->given.timeout_ns));
    json_object_set_new(shown->json, "attempts", stored_attempts_json(task));
    json_object_set_new(shown->json, "outputs",
                        task->outputs == NULL ? json_null()
                                              : json_outputs(task->outputs, task->outputs_bytes));
    json_object_set_new(shown->json, "log_bytes", json_integer((json_int_t)task->log_bytes));
    return false;
}

/* The table of the task's type says what is secret; without it, or until it is loaded, everything
 * is. */
static void add_params(struct api *api, struct shown *shown)
{
    const struct offer *offer = NULL;
    struct error error;

    if (registry_peek(api->registry, shown->type, strlen(shown->type), &offer, &error) !=
        REGISTRY_FOUND)
        offer = NULL;
    json_object_set_new(shown->json, "params",
                        params_json(shown->params.bytes, shown->params.length,
                                    offer != NULL ? &offer->params : NULL));
    registry_unpin(api->registry, offer);
}

void api_task_show(void *context, struct http_request *request)
{
    struct api *api = context;
    struct shown shown = {0};
    struct api_name name;

    if (!api_task_name(request, &name))
        return;
    shown.now = api_live_state(api, http_path(request, "task"));
    if (!api_visit_task(api, &name, show, &shown)) {
        api_no_task(request);
        return;
    }
    add_params(api, &shown);
    http_answer_json(request, 200, shown.json);
    free(shown.type);
    buffer_fini(&shown.params);
}

/* Which task of the store it is, and its state. */
struct found {
    struct store_position at;
    enum store_state state;
};

static bool take_found(void *context, const struct store_task *task)
{
    *(struct found *)context = (struct found){{task->job->key, task->number}, task->state};
    return false;
}

/* Answers for a task that is not in the host. */
static void refuse_ended(struct api *api, struct http_request *request, const struct api_name *name)
{
    struct found found;

    if (!api_visit_task(api, name, take_found, &found))
        api_no_task(request);
    else
        http_refuse(request, 409, "ended", "task '%s' has ended: %s", http_path(request, "task"),
                    store_state_word(found.state));
}

static void answer_state(struct http_request *request, const char *state)
{
    http_answer_json(request, 202,
                     json_pack("{ss ss}", "task", http_path(request, "task"), "state", state));
}

void api_task_cancel(void *context, struct http_request *request)
{
    struct api *api = context;
    struct api_name name;
    struct api_live live;

    if (!api_task_name(request, &name))
        return;
    bool found = api_find_live(api, &name, &live);
    bool going = found && task_state(live.task) < TASK_SUCCEEDED;
    if (going) {
        host_cancel_task(api->host, live.job, live.task);
        answer_state(request, "cancelling");
    }
    if (found)
        api_let_go(&live);
    if (!going)
        refuse_ended(api, request, &name);
}

/* Begins at the task: those before it, which may be a million, need not be looked at. */
static void retry(struct api *api, struct http_request *request, const struct api_name *name,
                  const struct found *found)
{
    const struct store_query query = {.job = found->at.job,
                                      .id = name->task,
                                      .states = STORE_DEAD_SET,
                                      .resume = found->at.number > 0,
                                      .after = {found->at.job, found->at.number - 1},
                                      .limit = 1};
    struct host_retried retried;
    struct error error;

    if (!host_retry(api->host, &query, &retried, &error))
        api_store_failed(request, &error);
    else if (retried.left > 0)
        http_refuse(request, 409, retried.why.code, "%s", retried.why.message);
    else if (retried.tasks == 0)
        http_refuse(request, 409, "not_dead", "it is only just tried again");
    else
        answer_state(request, "ready");
}

void api_task_retry(void *context, struct http_request *request)
{
    struct api *api = context;
    struct api_name name;
    struct found found;

    if (!api_task_name(request, &name))
        return;
    if (atomic_load(&api->stopping))
        http_refuse(request, 503, "stopping", "the daemon stops");
    else if (!api_visit_task(api, &name, take_found, &found))
        api_no_task(request);
    else if ((STORE_DEAD_SET & STORE_SET(found.state)) == 0)
        http_refuse(request, 409, "not_dead",
                    "task '%s' is %s: only what has failed for good is tried again",
                    http_path(request, "task"), store_state_word(found.state));
    else
        retry(api, request, &name, &found);
}
