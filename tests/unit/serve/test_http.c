/* What a handler sees of a request, and what comes of its answer. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../await.h"
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
    const char *text = http_body(request, &length);

    (void)context;
    cr_expect_eq(text[length], '\0');
    buffer_append(&body, text, length);
    http_answer(request, 200, "application/octet-stream", &body);
}

static void answer_nothing(void *context, struct http_request *request)
{
    (void)context;
    http_answer(request, 204, NULL, NULL);
}

/* What the header and the body say has the length of the task's name. */
static void name_place(void *context, struct http_request *request)
{
    const char *task = http_path(request, "task");

    (void)context;
    buffer_puts(http_text(request), task);
    http_add_header(request, "Location", task);
    if (strcmp(task, "both") == 0)
        http_add_header(request, "X-More", "more");
    http_answer(request, 200, "text/plain", NULL);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/places/{task}", .handle = name_place},
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

static atomic_int handled;

static void on_handled(void *context)
{
    (void)context;
    atomic_fetch_add(&handled, 1);
}

static void start(void)
{
    struct http_options options = served_options(routes, "hello\n");
    options.handled = on_handled;
    served_start(&served, &options);
}

TestSuite(http, .init = start, .fini = served_end);

/* It is the one that the answer has, and is one of the last seconds. */
static void expect_date(const char *answer, time_t now)
{
    struct tm tm;
    const char *date = strstr(answer, "\r\nDate: ");

    cr_assert_not_null(date, "%s", answer);
    const char *end = strptime(date + 8, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    cr_assert_not_null(end, "%s", answer);
    cr_expect_eq(strncmp(end, "\r\n", 2), 0);
    cr_expect_null(strstr(end, "\r\nDate: "));
    time_t then = timegm(&tm);
    cr_expect(then <= now && then >= now - 60, "%s", answer);
}

Test(http, a_route_answers_with_status_type_headers_and_body)
{
    CLEANUP(cleanup_free) char *answer = ask(&served, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_expect_not_null(strstr(answer, "HTTP/1.1 200 OK\r\n"));
    cr_expect_not_null(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
    cr_expect_not_null(strstr(answer, "\r\nLocation: /elsewhere\r\n"));
    expect_date(answer, time(NULL));
    cr_expect_not_null(strstr(answer, "\r\n\r\nhello\n"));
}

Test(http, says_when_it_has_handled_what_was_there, .timeout = 60)
{
    CLEANUP(cleanup_free) char *answer = ask(&served, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    int before = atomic_load(&handled);
    CLEANUP(cleanup_free) char *other = ask(&served, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    AWAIT(atomic_load(&handled) > before);
}

#define HTTP_END " HTTP/1.1\r\nHost: x\r\n\r\n"

static void expect(const char *request, const char *status, const char *text)
{
    expect_answer(&served, request, status, text);
}

Test(http, head_is_answered_as_get_is_but_without_the_body)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello" HTTP_END);
    CLEANUP(cleanup_free) char *head = hear_head(fd);
    CLEANUP(cleanup_free) char *after = hear(fd);
    cr_expect_not_null(strstr(head, "\r\nContent-Length: 6\r\n"));
    cr_expect_eq(strncmp(after, "HTTP/1.1 200", 12), 0, "%s", after);
}

static void expect_place(int fd, const char *task, bool more)
{
    char request[128], header[64], body[64];

    snprintf(request, sizeof(request), "GET /places/%s" HTTP_END, task);
    snprintf(header, sizeof(header), "\r\nLocation: %s\r\n", task);
    snprintf(body, sizeof(body), "\r\n\r\n%s", task);
    say(fd, request);
    CLEANUP(cleanup_free) char *answer = hear(fd);
    cr_expect_not_null(strstr(answer, header), "%s", answer);
    cr_expect_str_eq(strstr(answer, "\r\n\r\n"), body);
    cr_expect_eq(strstr(answer, "X-More") != NULL, more, "%s", answer);
    cr_expect_eq(strstr(strstr(answer, "Location") + 1, "Location"), NULL, "%s", answer);
}

Test(http, answers_of_one_connection_have_each_its_own_headers_and_body)
{
    static const char *const tasks[] = {"one1", "two2", "two2", "longer",
                                        "last", "both", "four", "both"};
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
        expect_place(fd, tasks[i], strcmp(tasks[i], "both") == 0);
}

/* The second answer is the first one's, with another date. */
Test(http, an_answer_that_is_used_again_has_the_date_of_its_time, .timeout = 60)
{
    static const char request[] = "GET /places/four" HTTP_END;
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, request);
    CLEANUP(cleanup_free) char *first = hear(fd);
    time_t before = time(NULL);
    AWAIT(time(NULL) > before);
    before = time(NULL);
    say(fd, request);
    CLEANUP(cleanup_free) char *second = hear(fd);
    expect_date(second, time(NULL));
    cr_expect_str_neq(strstr(first, "\r\nDate: "), strstr(second, "\r\nDate: "));
}

Test(http, a_path_hands_its_names_over_decoded)
{
    expect("GET /v1/tasks/01J%3Aa%2Fb%5B1%5D/why" HTTP_END, "200", "\"task\":\"01J:a/b[1]\"");
    expect("GET /v1/tasks/%C3%A4/why" HTTP_END, "200", "\"task\":\"\xc3\xa4\"");
    expect("GET /v1/%74asks/a+b/why" HTTP_END, "200", "\"task\":\"a+b\"");
}

Test(http, a_query_hands_its_values_over_decoded)
{
    expect("GET /v1/tasks/a/why?state=a%26b+c" HTTP_END, "200", "\"state\":\"a&b c\"");
    expect("GET /v1/tasks/a/why?state" HTTP_END, "200", "\"state\":\"\"");
    expect("GET /v1/tasks/a/why?&type=x" HTTP_END, "200", "\"state\":\"-\"");
}

Test(http, headers_are_found_in_any_case)
{
    expect("GET /v1/tasks/a/why HTTP/1.1\r\nHost: x\r\nuser-AGENT: me\r\n\r\n", "200",
           "\"agent\":\"me\"");
}

Test(http, an_address_that_is_not_there_is_a_404)
{
    expect("GET /" HTTP_END, "404", "\"code\":\"no_route\"");
    expect("GET /hell" HTTP_END, "404", "no_route");
    expect("GET /hello/" HTTP_END, "404", "no_route");
    expect("GET //hello" HTTP_END, "404", "no_route");
    expect("GET /x/../hello" HTTP_END, "404", "no_route");
    expect("GET /%2Fhello" HTTP_END, "404", "no_route");
    expect("GET /v1/tasks//why" HTTP_END, "404", "no_route");
    expect("GET /v1/tasks/a/why/not" HTTP_END, "404", "no_route");
    expect("GET /HELLO" HTTP_END, "404", "no_route");
}

Test(http, an_address_that_is_malformed_is_a_400)
{
    expect("GET /v1/tasks/%00/why" HTTP_END, "400", "NUL (%00)");
    expect("GET /v1/tasks/%0/why" HTTP_END, "400", "two hexadecimal digits");
    expect("GET /v1/tasks/%zz/why" HTTP_END, "400", "two hexadecimal digits");
    expect("GET /v1/tasks/a/why?state=%" HTTP_END, "400", "two hexadecimal digits");
    expect("GET /v1/tasks/%ff/why" HTTP_END, "400", "not UTF-8");
    expect("GET /v1/tasks/\xc3\xa4/why" HTTP_END, "400", "to be written as %XX");
    expect("GET /hello#there" HTTP_END, "400", "to be written as %XX");
    expect("GET hello" HTTP_END, "400", "begin with '/'");
    expect("GET http://x/hello" HTTP_END, "400", "begin with '/'");
    expect("GET /1/2/3/4/5/6/7/8/9" HTTP_END, "400", "too many parts");
}

Test(http, an_unknown_key_is_named_with_those_that_are_allowed)
{
    expect("GET /v1/tasks/a/why?sate=x" HTTP_END, "400",
           "unknown key 'sate' in the query; allowed: state type");
    expect("GET /hello?x=1" HTTP_END, "400", "unknown key 'x' in the query; none is allowed");
    expect("GET /v1/tasks/a/why?state&state" HTTP_END, "400", "'state' is given twice");
}

Test(http, another_method_is_a_405_that_says_what_is_allowed)
{
    expect("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "405",
           "\r\nAllow: GET, HEAD, PUT\r\n");
    expect("GET /v1/jobs" HTTP_END, "405", "\r\nAllow: POST\r\n");
    expect("BREW /hello" HTTP_END, "405", "BREW is not allowed here; allowed: GET, HEAD, PUT");
    expect("OPTIONS /v1/tasks/a" HTTP_END, "405", "\r\nAllow: DELETE\r\n");
}

Test(http, a_body_comes_by_length_in_chunks_or_not_at_all)
{
    expect("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "202",
           "{\"body\":\"hello\",\"end\":0}\n");
    expect("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
           "202", "{\"body\":\"hello\",\"end\":0}\n");
    expect("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "202",
           "{\"body\":\"\",\"end\":0}\n");
    expect("POST /v1/jobs" HTTP_END, "202", "{\"body\":\"\",\"end\":0}\n");
}

Test(http, a_body_can_be_taken_over)
{
    expect("PUT /v1/body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "200",
           "\r\n\r\nhello");
    expect("PUT /v1/body" HTTP_END, "200", "\r\nContent-Length: 0\r\n");
}

Test(http, requests_that_come_at_once_are_answered_in_their_order)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, "GET /v1/tasks/a/why HTTP/1.1\r\nHost: x\r\n\r\n"
            "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
            "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
            "DELETE /v1/tasks/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CLEANUP(cleanup_free) char *all = hear_all(fd);
    const char *first = strstr(all, "\"task\":\"a\"");
    const char *second = first != NULL ? strstr(first, "\"body\":\"hi\"") : NULL;
    const char *third = second != NULL ? strstr(second, "HTTP/1.1 404") : NULL;
    cr_expect(third != NULL && strstr(third, "HTTP/1.1 204") != NULL, "%s", all);
}

Test(http, a_connection_stays_for_many_requests)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    for (int i = 0; i < 100; i++) {
        say(fd, i % 2 == 0 ? "GET /hello" HTTP_END : "GET /nowhere" HTTP_END);
        CLEANUP(cleanup_free) char *answer = hear(fd);
        cr_assert_eq(strncmp(answer, i % 2 == 0 ? "HTTP/1.1 200" : "HTTP/1.1 404", 12), 0);
    }
}

Test(http, a_client_of_http_1_0_is_answered_and_left)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, "GET /hello HTTP/1.0\r\n\r\n");
    CLEANUP(cleanup_free) char *all = hear_all(fd);
    cr_expect_not_null(strstr(all, "\r\n\r\nhello\n"));
}

Test(http, what_is_no_http_ends_the_connection_and_nothing_else)
{
    static const char *const texts[] = {"\x16\x03\x01\x02\x01\x01\r\n\r\n", "GET\r\n\r\n",
                                        "GET /hello HTTP/9.9\r\n\r\n", "\r\n\r\n\r\nx\r\n\r\n",
                                        "GET /hello HTTP/1.1\r\nno colon\r\n\r\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CLEANUP(cleanup_close) int fd = served_connect(&served);
        say(fd, texts[i]);
        shutdown(fd, SHUT_WR);
        CLEANUP(cleanup_free) char *all = hear_all(fd);
        cr_expect(all[0] == '\0' || strncmp(all, "HTTP/1.", 7) == 0, "%s", all);
    }
    expect("GET /hello" HTTP_END, "200", "hello");
}
