#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/api/clerk.h"
#include "serve/api/follow.h"
#include "serve/api/internal.h"
#include "serve/event_hub.h"
#include "support/clock.h"

#define BEAT_NS (15 * NS_PER_S)

bool api_start(struct api *api, struct error *error)
{
    if (store_borrows(host_stages(api->host)->store))
        return true;
    api->clerk = clerk_start(api, error);
    return api->clerk != NULL;
}

void api_join(struct api *api)
{
    clerk_stop(&api->clerk);
}

struct api *api_create(struct host *host, const struct config *config, struct registry *registry)
{
    struct api *api = calloc(1, sizeof(*api));

    if (api == NULL)
        abort();
    api->host = host;
    api->config = config;
    api->registry = registry;
    api->idempotency = idempotency_create();
    api->hub = event_hub_create();
    api->follow = follow_create(api);
    gathering_init(&api->gathering);
    api->started_ns = clock_now_ns();
    api->started_wall_ns = clock_wall_ns();
    if (gethostname(api->node, sizeof(api->node) - 1) != 0)
        memcpy(api->node, "localhost", sizeof("localhost"));
    return api;
}

void api_destroy(struct api **api)
{
    if (*api == NULL)
        return;
    follow_destroy(&(*api)->follow);
    event_hub_destroy(&(*api)->hub);
    idempotency_destroy(&(*api)->idempotency);
    free(*api);
    *api = NULL;
}

static http_handler ask;

/* Which function is called on the http thread. */
#define CALLED_HTTP(handler)  handler
#define CALLED_STORE(handler) ask

static const struct http_route routes[] = {
#define ROUTE(verb, who, where, path, keys, types, handler, what)                                  \
    {.method = HTTP_##verb,                                                                        \
     .access = HTTP_##who,                                                                         \
     .pattern = path,                                                                              \
     .query = keys,                                                                                \
     .body = types,                                                                                \
     .help = what,                                                                                 \
     .handle = CALLED_##where(handler)},
#include "serve/routes.def"
#undef ROUTE
};

static http_handler *const handlers[] = {
#define ROUTE(verb, who, where, path, keys, types, handler, what) handler,
#include "serve/routes.def"
#undef ROUTE
};

static void ask(void *context, struct http_request *request)
{
    const struct api *api = context;
    http_handler *handle = handlers[http_route(request) - routes];

    if (api->clerk != NULL)
        clerk_take(api->clerk, request, handle);
    else
        handle(context, request);
}

const struct http_route *api_routes(size_t *count)
{
    *count = sizeof(routes) / sizeof(routes[0]);
    return routes;
}

void api_ready(struct api *api)
{
    atomic_store(&api->ready, true);
}

void api_stops(struct api *api)
{
    atomic_store(&api->stopping, true);
}

void api_tick(struct api *api, int64_t now_ns)
{
    follow_tick(api->follow);
    if (now_ns - api->beat_ns < BEAT_NS)
        return;
    api->beat_ns = now_ns;
    event_hub_beat(api->hub);
}

void api_ends(struct api *api)
{
    follow_close(api->follow);
    event_hub_close(api->hub);
}

void api_on_main(struct api *api, struct http_request *request, const void *call, size_t bytes)
{
    struct loop_call *copy = malloc(bytes);

    if (copy == NULL)
        abort();
    memcpy(copy, call, bytes);
    if (host_call(api->host, copy))
        return;
    free(copy);
    http_refuse(request, 503, "stopping", "the daemon stops");
}
