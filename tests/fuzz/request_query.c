/* request_query: libFuzzer asks the daemon's API, from the address on: an input is a method, a space
 * and the address as they stand in a request's first line; behind that line is the body. Address,
 * routes and answers are those of the HTTP server, without a connection; the host is a fake one.
 * Beyond crashes it looks for a request that is not answered exactly once, an answer that is not
 * JSON (or the text of a log), an error without code or message, and a job that stays held. Started
 * by run.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_job.h"
#include "host.h"
#include "serve/api/follow.h"
#include "serve/api/internal.h"
#include "serve/http/internal.h"
#include "support/cleanup.h"

enum { METHOD_BYTES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void expect(bool right, const char *sentence, const struct http_request *request)
{
    if (right)
        return;
    fprintf(stderr, "request_query: not so: %s: %u %.*s\n", sentence, request->status,
            (int)request->answer.length, request->answer.bytes);
    abort();
}

/* ---- routes ---- */

/* What is about other things than jobs and tasks, and needs more of a host. */
#define NOT_HERE(handler)                                                                          \
    void handler(void *context, struct http_request *request)                                      \
    {                                                                                              \
        (void)context;                                                                             \
        http_answer_json(request, 200, json_object());                                             \
    }
NOT_HERE(api_index)
NOT_HERE(api_status)
NOT_HERE(api_plugin_list)
NOT_HERE(api_type_list)
NOT_HERE(api_type_show)
NOT_HERE(api_reload)
NOT_HERE(api_event_stream)
NOT_HERE(api_schema)
NOT_HERE(api_stop)
NOT_HERE(api_metrics)
NOT_HERE(api_health)
NOT_HERE(api_readiness)

static const struct http_route routes[] = {
#define ROUTE(method_, access_, where, path, query_, body_, handler, help_)                        \
    {.method = HTTP_##method_,                                                                     \
     .access = HTTP_##access_,                                                                     \
     .pattern = (path),                                                                            \
     .query = (query_),                                                                            \
     .body = (body_),                                                                              \
     .help = (help_),                                                                              \
     .handle = (handler)},
#include "serve/routes.def"
#undef ROUTE
};

/* ---- a request without a connection ---- */

static struct http http = {
    .options = {.routes = routes, .routes_count = sizeof(routes) / sizeof(routes[0])},
    .wake_fd = -1,
    .holders = 1,
};
static struct http_connection connection = {.http = &http};

static struct http_request *request_make(const char *address, size_t length)
{
    struct http_request *request = calloc(1, sizeof(*request) + length + 1);

    if (request == NULL)
        abort();
    memcpy(request->text, address, length);
    request->http = &http;
    request->connection = &connection;
    return request;
}

static void free_asked(struct http_request *request)
{
    if (request->stream != NULL)
        stream_leave(&request->stream);
    buffer_fini(&request->body);
    buffer_fini(&request->answer);
    buffer_fini(&request->headers);
    free(request);
}

/* As request.c and gate.c do, but for what headers say. */
static void request_handle(struct api *api, struct http_request *request, const char *method)
{
    server_hold(&http);
    if (!uri_parse(request))
        return;
    request->route = route_find(request, method);
    if (request->route == NULL) {
        route_refuse(request, method);
        return;
    }
    if (request->route->body == NULL)
        buffer_fini(&request->body);
    if (route_check_query(request))
        request->route->handle(api, request);
}

/* ---- what is expected ---- */

static void expect_json(const struct http_request *request)
{
    json_t *json = json_loadb(request->answer.bytes, request->answer.length, 0, NULL);
    json_t *error = json_object_get(json, "error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));

    expect(json_is_object(json), "an answer is an object", request);
    expect((error != NULL) == (request->status >= 400), "an error has its status", request);
    expect(error == NULL || (code != NULL && code[0] != '\0'), "an error has a code", request);
    expect(error == NULL || (message != NULL && message[0] != '\0'), "an error says something",
           request);
    json_decref(json);
}

static void expect_sense(const struct http_request *request)
{
    expect(http.ready == &request->ready && request->ready.next == NULL,
           "a request is answered once", request);
    expect(http.holders == 1, "who has answered does not hold the server", request);
    expect(request->status < 500 || request->status == 503, "nothing fails", request);
    if (strcmp(request->content_type, "application/json") == 0)
        expect_json(request);
    else
        expect(request->status == 200 && strncmp(request->content_type, "text/plain", 10) == 0,
               "what is not JSON is a log", request);
}

static struct api *the_api(void)
{
    static struct api api;

    if (api.idempotency == NULL)
        api.idempotency = idempotency_create();
    gathering_init(&api.gathering);
    return &api;
}

static void expect_let_go(const struct http_request *request)
{
    struct job *job = host_find_job(NULL, FAKE_JOB);

    job_let_go(job);
    expect(!job_is_held(job), "a job is let go", request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    const char *text = (const char *)data;
    const char *space = memchr(text, ' ', length < METHOD_BYTES ? length : METHOD_BYTES);
    char method[METHOD_BYTES + 1] = "";

    if (space == NULL)
        return -1;
    memcpy(method, text, (size_t)(space - text));
    const char *address = space + 1, *end = text + length;
    const char *newline = memchr(address, '\n', (size_t)(end - address));
    const char *address_end = newline != NULL ? newline : end;
    struct api *api = the_api();
    struct http_request *request = request_make(address, (size_t)(address_end - address));
    if (newline != NULL) {
        buffer_append(&request->body, newline + 1, (size_t)(end - newline - 1));
        buffer_text(&request->body);
    }
    api->follow = follow_create(api);
    request_handle(api, request, method);
    follow_tick(api->follow);
    follow_destroy(&api->follow);
    expect_sense(request);
    expect_let_go(request);
    atomic_store(&http.ready, NULL);
    free_asked(request);
    return 0;
}
