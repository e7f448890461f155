/* Plugins, their types, reloading, the schema. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/internal.h"
#include "serve/job_schema.h"
#include "serve/json_text.h"
#include "serve/plugin_json.h"
#include "serve/reread_report.h"
#include "serve/type_json.h"

static void add_plugin(void *context, const struct registry_plugin *plugin)
{
    json_array_append_new(context, plugin_json(plugin));
}

void api_plugin_list(void *context, struct http_request *request)
{
    struct api *api = context;
    json_t *plugins = json_array();

    registry_visit_plugins(api->registry, add_plugin, plugins);
    http_answer_json(request, 200, json_pack("{so}", "plugins", plugins));
}

static void add_type(void *context, const char *type, const char *plugin)
{
    json_array_append_new(context, json_pack("{ss ss}", "type", type, "plugin", plugin));
}

void api_type_list(void *context, struct http_request *request)
{
    struct api *api = context;
    json_t *types = json_array();

    registry_visit_types(api->registry, add_type, types);
    http_answer_json(request, 200, json_pack("{so}", "types", types));
}

/* null, or what it is isolated for. */
static json_t *isolated_json(struct api *api, const char *type)
{
    struct isolation_facts facts;

    if (!host_isolates(api->host, type, &facts))
        return json_null();
    return json_pack("{so so so}", "since", json_wall_time(facts.since_wall_ns), "task",
                     json_text_or_null(facts.task), "why", json_text_or_null(facts.why));
}

static void answer_type(struct api *api, struct http_request *request, const struct offer *offer)
{
    json_t *json = type_json(offer);

    json_object_set_new(json, "isolated", isolated_json(api, offer->type->name));
    http_answer_json(request, 200, json);
}

void api_type_show(void *context, struct http_request *request)
{
    struct api *api = context;
    const char *type = http_path(request, "type");
    const struct offer *offer;
    struct error error;

    switch (registry_peek(api->registry, type, strlen(type), &offer, &error)) {
    case REGISTRY_FOUND:
        answer_type(api, request, offer);
        registry_unpin(api->registry, offer);
        return;
    case REGISTRY_UNKNOWN:
        http_refuse(request, 404, "not_found", "no plugin has the task type '%s'", type);
        return;
    case REGISTRY_REFUSED:
        http_refuse(request, 409, "refused", "%s", error.message);
        return;
    case REGISTRY_LOADING:
        http_add_header(request, "Retry-After", "1");
        http_refuse(request, 503, "loading", "%s", error.message);
        return;
    }
}

void api_schema(void *context, struct http_request *request)
{
    struct api *api = context;

    http_answer_json(request, 200, job_schema(api->registry));
}

/* ---- reloading ---- */

struct asked_reload {
    struct loop_call call;
    struct host_reload reload;
    struct api *api;
    struct http_request *request;
    struct reread_report report;
};

static struct asked_reload *asked_of(struct host_reload *reload)
{
    return (struct asked_reload *)(void *)((char *)reload - offsetof(struct asked_reload, reload));
}

static void answer_reload(struct asked_reload *asked, const struct registry_reloaded *reloaded)
{
    json_t *config = reread_report_json(&asked->report);

    if (!asked->report.valid) {
        http_answer_error(asked->request, 422, "invalid_config",
                          "the configuration is not valid: nothing of it has changed; plugins were "
                          "looked at again",
                          config);
        return;
    }
    http_answer_json(asked->request, 200,
                     json_pack("{si si si si si so}", "kept", (int)reloaded->kept, "replaced",
                               (int)reloaded->replaced, "added", (int)reloaded->added, "removed",
                               (int)reloaded->removed, "refused", (int)reloaded->refused, "config",
                               config));
}

/* Loader thread, or the main thread at the host's end. */
static void reload_done(struct host_reload *reload, const struct registry_reloaded *reloaded)
{
    struct asked_reload *asked = asked_of(reload);

    if (reloaded != NULL)
        answer_reload(asked, reloaded);
    else
        http_refuse(asked->request, 503, "stopping", "the daemon stops");
    reread_report_fini(&asked->report);
    free(asked);
}

static void begin_reload(struct loop_call *call)
{
    struct asked_reload *asked = (struct asked_reload *)call;

    reread_report_init(&asked->report);
    asked->reload.report = &asked->report;
    host_reload(asked->api->host, &asked->reload);
}

void api_reload(void *context, struct http_request *request)
{
    struct asked_reload asked = {
        .call.run = begin_reload, .reload.done = reload_done, .api = context, .request = request};

    api_on_main(context, request, &asked, sizeof(asked));
}
