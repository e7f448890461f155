/* The daemon as a whole: its routes, its state, whether it moves, stopping it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "accept/inbound.h"
#include "dispatch/admission.h"
#include "dispatch/router.h"
#include "dispatch/scheduler.h"
#include "outcome/delayed.h"
#include "serve/api/internal.h"
#include "serve/json_text.h"
#include "support/clock.h"

#define MOVES_WITHIN_NS (10 * NS_PER_S)

void api_index(void *context, struct http_request *request)
{
    size_t count;
    const struct http_route *routes = api_routes(&count);
    json_t *list = json_array();

    (void)context;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{ss ss ss}", "method", http_method_name(routes[i].method),
                                        "path", routes[i].pattern, "help", routes[i].help));
    http_answer_json(request, 200, json_pack("{ss so}", "version", HOST_VERSION, "routes", list));
}

static void add_queued(void *context, const struct router_facts *facts)
{
    *(uint64_t *)context += group_facts(facts->group).queued;
}

static void add_ended(void *context, struct type_figures *figures)
{
    uint64_t *ended = context;

    for (int state = TASK_SUCCEEDED; state < TASK_STATE_COUNT; state++)
        ended[state] += atomic_load(&figures->finished[state]);
}

static json_t *tasks_json(struct stages *stages)
{
    uint64_t queued = 0, ended[TASK_STATE_COUNT] = {0};

    router_visit(stages->router, add_queued, &queued);
    figures_visit(stages->figures, add_ended, ended);
    json_t *tasks =
        json_pack("{sI sI sI sI sI sI}", "unfinished", (json_int_t)room_taken(&stages->pending),
                  "delayed", (json_int_t)delayed_count(stages->delayed), "parked",
                  (json_int_t)router_parked(stages->router), "queued", (json_int_t)queued,
                  "running", (json_int_t)executor_running(stages->executor), "stuck",
                  (json_int_t)executor_stuck(stages->executor));
    for (int state = TASK_SUCCEEDED; state < TASK_STATE_COUNT; state++)
        json_object_set_new(tasks, task_state_word((enum task_state)state),
                            json_integer((json_int_t)ended[state]));
    return tasks;
}

static json_t *monitor_json(struct host *host)
{
    int monitor = host_monitor(host);
    return monitor == 0 ? json_null() : json_integer(monitor);
}

static json_t *status_json(struct api *api)
{
    struct stages *stages = host_stages(api->host);
    struct admission_facts admission = admission_facts(stages->admission);
    struct store_counts counts = {0};
    struct error error;

    store_count(stages->store, &counts, &error);
    return json_pack("{ss si so so sf sb s{sI sI} so s{sI sI} s{sI sI sI} s{si si si} ss}",
                     "version", HOST_VERSION, "pid", (int)getpid(), "monitor",
                     monitor_json(api->host), "started", json_wall_time(api->started_wall_ns),
                     "uptime_seconds", (double)(clock_now_ns() - api->started_ns) / 1e9, "stopping",
                     (int)atomic_load(&api->stopping), "jobs", "unfinished",
                     (json_int_t)host_jobs(api->host), "known", (json_int_t)counts.jobs, "tasks",
                     tasks_json(stages), "inbound", "length",
                     (json_int_t)inbound_length(stages->inbound), "capacity",
                     (json_int_t)inbound_capacity(stages->inbound), "pending", "taken",
                     (json_int_t)room_taken(&stages->pending), "capacity",
                     (json_int_t)room_capacity(&stages->pending), "aside",
                     (json_int_t)host_aside_tasks(api->host), "admission", "in_use",
                     (int)admission.in_use, "capacity", (int)admission.capacity, "waiting",
                     (int)admission.waits, "scheduler", stages->scheduler->name);
}

static const char *overflow_word(enum config_overflow overflow)
{
    switch (overflow) {
    case OVERFLOW_BLOCK:
        return "block";
    case OVERFLOW_REJECT:
        return "reject";
    case OVERFLOW_DELAY:
        return "delay";
    }
    return "";
}

struct asked {
    struct loop_call call;
    struct api *api;
    struct http_request *request;
};

/* The scheduler and the configuration are the main thread's. */
static void answer_status(struct loop_call *call)
{
    struct asked *asked = (struct asked *)call;
    json_t *status = status_json(asked->api);

    json_object_set_new(status, "overflow",
                        json_string(overflow_word(asked->api->config->overflow)));
    http_answer_json(asked->request, 200, status);
    free(asked);
}

void api_status(void *context, struct http_request *request)
{
    struct asked asked = {.call.run = answer_status, .api = context, .request = request};

    api_on_main(context, request, &asked, sizeof(asked));
}

static void answer_text(struct http_request *request, unsigned status, const char *text)
{
    struct buffer body = BUFFER_EMPTY;

    buffer_puts(&body, text);
    http_answer(request, status, "text/plain; charset=utf-8", &body);
}

/* Whoever comes on the main thread moves. */
static void answer_health(struct loop_call *call)
{
    struct asked *asked = (struct asked *)call;

    atomic_store(&asked->api->asked_ns, 0);
    answer_text(asked->request, 200, "ok\n");
    free(asked);
}

void api_health(void *context, struct http_request *request)
{
    struct asked asked = {.call.run = answer_health, .api = context, .request = request};
    int64_t now_ns = clock_now_ns(), none = 0;

    if (!atomic_compare_exchange_strong(&asked.api->asked_ns, &none, now_ns) &&
        now_ns - none > MOVES_WITHIN_NS) {
        answer_text(request, 503, "the control loop has not moved for 10 s\n");
        return;
    }
    api_on_main(context, request, &asked, sizeof(asked));
}

void api_readiness(void *context, struct http_request *request)
{
    struct api *api = context;
    struct error error;
    char text[ERROR_MESSAGE_BYTES + 16];

    if (atomic_load(&api->stopping)) {
        answer_text(request, 503, "stopping\n");
    } else if (!atomic_load(&api->ready)) {
        answer_text(request, 503, "starting\n");
    } else if (!store_is_well(host_stages(api->host)->store, &error)) {
        snprintf(text, sizeof(text), "failing: %s\n", error.message);
        answer_text(request, 503, text);
    } else {
        answer_text(request, 200, "ready\n");
    }
}

static void begin_stop(struct loop_call *call)
{
    struct asked *asked = (struct asked *)call;

    http_answer_json(asked->request, 202, json_pack("{ss}", "state", "stopping"));
    host_ask_stop(asked->api->host);
    free(asked);
}

void api_stop(void *context, struct http_request *request)
{
    struct asked asked = {.call.run = begin_stop, .api = context, .request = request};

    api_on_main(context, request, &asked, sizeof(asked));
}
