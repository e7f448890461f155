/* What a handler sees of a request, and what comes of its answer. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/http_request.h"
#include "served.h"
#include "support/cleanup.h"

static const char *or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

static void say_hello(void *context, struct http_request *request)
{
    struct buffer body = BUFFER_EMPTY;

    buffer_puts(&body, context);
    http_add_header(request, "Location", "/elsewhere");
    http_answer(request, 200, "text/plain", &body);
}

static void echo_task(void *context, struct http_request *request)
{
    (void)context;
    http_answer_json(request, 200,
                     json_pack("{s:s, s:s, s:s}", "task", http_path(request, "task"), "state",
                               or_dash(http_query(request, "state")), "agent",
                               or_dash(http_header(request, "User-Agent"))));
}

static void echo_body(void *context, struct http_request *request)
{
    size_t length;
    const char *text = http_body(request, &length);

    (void)context;
    http_answer_json(request, 202,
                     json_pack("{s:s#, s:i}", "body", text, (int)length, "end", text[length]));
}

static void take_body(void *context, struct http_request *request)
{
    struct buffer body = BUFFER_EMPTY;
    size_t length;

    (void)context;
    http_take_body(request, &body);
    cr_expect_eq(body.bytes[body.length], '\0');
    http_body(request, &length);
    cr_expect_eq(length, 0);
    http_answer(request, 200, "application/octet-stream", &body);
}

static void answer_nothing(void *context, struct http_request *request)
{
    (void)context;
    http_answer(request, 204, NULL, NULL);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/hello", .handle = say_hello},
    {.method = HTTP_GET,
     .pattern = "/v1/tasks/{task}/why",
     .query = "state type",
     .handle = echo_task},
    {.method = HTTP_DELETE, .pattern = "/v1/tasks/{task}", .handle = answer_nothing},
    {.method = HTTP_POST,
     .pattern = "/v1/jobs",
     .body = "application/json application/yaml",
     .handle = echo_body},
    {.method = HTTP_PUT, .pattern = "/v1/body", .body = "*", .handle = take_body},
    {.method = HTTP_PUT, .pattern = "/hello", .handle = answer_nothing},
    {0},
};

static struct served served;

static void start(void)
{
    struct http_options options = served_options(routes, "hello\n");
    served_start(&served, &options);
}

static void stop(void)
{
    served_stop(&served);
}

TestSuite(http, .init = start, .fini = stop);

Test(http, a_route_answers_with_status_type_headers_and_body)
{
    CLEANUP(cleanup_free) char *answer = ask(&served, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_expect_not_null(strstr(answer, "HTTP/1.1 200 OK\r\n"));
    cr_expect_not_null(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
    cr_expect_not_null(strstr(answer, "\r\nLocation: /elsewhere\r\n"));
    cr_expect_not_null(strstr(answer, "\r\n\r\nhello\n"));
}
