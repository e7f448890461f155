/* Groups, the scheduler, nodes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch/admission.h"
#include "dispatch/router.h"
#include "dispatch/scheduler.h"
#include "serve/api/internal.h"
#include "serve/json_text.h"
#include "support/clock.h"

static json_t *limit_json(int64_t limit)
{
    return limit == 0 ? json_null() : json_integer(limit);
}

static json_t *group_json(struct api *api, const struct router_facts *router)
{
    struct stages *stages = host_stages(api->host);
    struct group_facts facts = group_facts(router->group);
    struct party_facts party = admission_party_facts(stages->admission, group_party(router->group));
    double oldest = facts.oldest_ns == 0 ? 0 : (double)(clock_now_ns() - facts.oldest_ns) / 1e9;

    return json_pack("{ss ss so si sb sI si si so si si so si sf sf sb}", "name", facts.name,
                     "type", router->type, "labels", json_labels(router->labels), "workers",
                     (int)facts.workers, "paused", facts.paused, "queued", (json_int_t)facts.queued,
                     "running", (int)facts.running, "stuck", (int)facts.stuck, "max_weight",
                     limit_json(party.max_weight), "weight_in_use", (int)party.in_use, "reserve",
                     (int)party.reserve, "queue_capacity", limit_json(facts.queue_capacity),
                     "accepted", (int)facts.accepted, "cpu", (double)facts.cpu_milli / 1e3,
                     "oldest_waiting_seconds", oldest, "waits_for_weight", party.waits > 0);
}

struct group_list {
    struct api *api;
    json_t *groups;
    const char *name; /* only this one; NULL: all */
};

static void add_group(void *context, const struct router_facts *facts)
{
    struct group_list *list = context;

    if (list->name == NULL || strcmp(list->name, group_name(facts->group)) == 0)
        json_array_append_new(list->groups, group_json(list->api, facts));
}

static json_t *find_group(struct api *api, const char *name)
{
    struct group_list list = {.api = api, .groups = json_array(), .name = name};

    router_visit(host_stages(api->host)->router, add_group, &list);
    json_t *group = json_incref(json_array_get(list.groups, 0));
    json_decref(list.groups);
    return group;
}

void api_group_list(void *context, struct http_request *request)
{
    struct api *api = context;
    struct group_list list = {.api = api, .groups = json_array()};
    struct admission_facts facts = admission_facts(host_stages(api->host)->admission);

    router_visit(host_stages(api->host)->router, add_group, &list);
    http_answer_json(request, 200,
                     json_pack("{so s{si si si}}", "groups", list.groups, "admission", "in_use",
                               (int)facts.in_use, "capacity", (int)facts.capacity, "waiting",
                               (int)facts.waits));
}

static void answer_group(struct api *api, struct http_request *request)
{
    const char *name = http_path(request, "group");
    json_t *group = find_group(api, name);

    if (group != NULL)
        http_answer_json(request, 200, group);
    else
        http_refuse(request, 404, "not_found",
                    "no group '%s'; a type gets one of its own with its first task", name);
}

void api_group_show(void *context, struct http_request *request)
{
    answer_group(context, request);
}

/* What is to change of a group; done by the main thread. */
struct group_change {
    struct loop_call call;
    struct api *api;
    struct http_request *request;
    uint32_t workers; /* 0: stay */
    int paused;       /* -1: stays */
};

static void change(struct loop_call *call)
{
    struct group_change *change = (struct group_change *)call;
    struct group *group = router_find_group(host_stages(change->api->host)->router,
                                            http_path(change->request, "group"));

    if (group != NULL && change->workers > 0)
        group_set_workers(group, change->workers);
    if (group != NULL && change->paused == 1)
        group_pause(group);
    if (group != NULL && change->paused == 0)
        group_resume(group);
    answer_group(change->api, change->request);
    free(change);
}

/* False: answered. */
static bool read_change(struct http_request *request, json_t *body, struct group_change *change)
{
    json_t *value;
    const char *key;

    json_object_foreach(body, key, value)
    {
        json_int_t number = json_integer_value(value);
        if (strcmp(key, "workers") == 0 && json_is_integer(value) && number >= 1 &&
            number <= GROUP_WORKERS_MOST)
            change->workers = (uint32_t)number;
        else if (strcmp(key, "paused") == 0 && json_is_boolean(value))
            change->paused = json_is_true(value);
        else if (strcmp(key, "workers") == 0)
            return api_refuse_key(request, key, "an integer from 1 to 1024");
        else
            return api_refuse_key(
                request, key, strcmp(key, "paused") == 0 ? "true or false" : "workers and paused");
    }
    return true;
}

void api_group_change(void *context, struct http_request *request)
{
    struct group_change read = {
        .call.run = change, .api = context, .request = request, .paused = -1};
    json_t *body = api_body_object(request);

    if (body == NULL)
        return;
    bool right = read_change(request, body, &read);
    json_decref(body);
    if (right)
        api_on_main(context, request, &read, sizeof(read));
}

/* ---- the scheduler ---- */

static void answer_policy(struct api *api, struct http_request *request)
{
    json_t *policies = json_array();

#define SCHEDULER(noun, meaning)                                                                   \
    json_array_append_new(policies, json_string(scheduler_##noun.name));
#include "dispatch/schedulers.def"
#undef SCHEDULER
    http_answer_json(request, 200,
                     json_pack("{ss so}", "policy", host_stages(api->host)->scheduler->name,
                               "policies", policies));
}

struct policy_change {
    struct loop_call call;
    struct api *api;
    struct http_request *request;
    const struct scheduler *scheduler; /* NULL: it stays */
};

static void change_policy(struct loop_call *call)
{
    struct policy_change *change = (struct policy_change *)call;

    if (change->scheduler != NULL)
        stages_set_scheduler(host_stages(change->api->host), change->scheduler);
    answer_policy(change->api, change->request);
    free(change);
}

void api_scheduler_show(void *context, struct http_request *request)
{
    struct policy_change asked = {.call.run = change_policy, .api = context, .request = request};

    api_on_main(context, request, &asked, sizeof(asked));
}

void api_scheduler_set(void *context, struct http_request *request)
{
    struct policy_change asked = {.call.run = change_policy, .api = context, .request = request};
    json_t *body = api_body_object(request);
    const char *policy = json_string_value(json_object_get(body, "policy"));

    if (body == NULL)
        return;
    asked.scheduler = policy != NULL ? scheduler_find(policy) : NULL;
    if (asked.scheduler == NULL || json_object_size(body) != 1)
        http_refuse(request, 422, "invalid_value",
                    "the body is {\"policy\":\"NAME\"} with one of the names in GET /v1/scheduler");
    else
        api_on_main(context, request, &asked, sizeof(asked));
    json_decref(body);
}

static void count_group(void *context, const struct router_facts *facts)
{
    (void)facts;
    ++*(int *)context;
}

void api_node_list(void *context, struct http_request *request)
{
    struct api *api = context;
    int groups = 0;

    router_visit(host_stages(api->host)->router, count_group, &groups);
    http_answer_json(
        request, 200,
        json_pack("{s[{ss sb si}]}", "nodes", "node", api->node, "local", 1, "groups", groups));
}
