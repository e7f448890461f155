/* Who may ask, and what is refused before a byte of a body is read. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/http_request.h"
#include "served.h"
#include "support/cleanup.h"

static void answer(void *context, struct http_request *request)
{
    atomic_fetch_add((atomic_int *)context, 1);
    http_answer_json(request, 200, json_true());
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/open", .access = HTTP_OPEN, .handle = answer},
    {.method = HTTP_GET, .pattern = "/closed", .handle = answer},
    {.method = HTTP_POST, .pattern = "/jobs", .body = "application/json", .handle = answer},
    {0},
};

static atomic_int handled;

static void start(void)
{
    static const char *const hosts[] = {"sluice.example", NULL};
    struct http_options options = served_options(routes, &handled);
    options.token = "0123456789abcdef";
    options.allowed_hosts = hosts;
    served_start_tcp(&served, &options);
}

TestSuite(http_gate, .init = start, .fini = served_end);

/* A request with lines of headers behind its first line. */
static void expect(const char *line, const char *headers, const char *status, const char *text)
{
    char request[1024];
    snprintf(request, sizeof(request), "%s HTTP/1.1\r\n%s\r\n", line, headers);
    expect_answer(&served, request, status, text);
}

#define HOST  "Host: localhost\r\n"
#define TOKEN "Authorization: Bearer 0123456789abcdef\r\n"

Test(http_gate, the_token_is_asked_for_and_compared_whole)
{
    expect("GET /closed", HOST TOKEN, "200", "true");
    expect("GET /closed", HOST "Authorization: bearer 0123456789abcdef\r\n", "200", "true");
    expect("GET /closed", HOST, "401", "\r\nWWW-Authenticate: Bearer realm=\"sluice\"\r\n");
    expect("GET /closed", HOST "Authorization: Bearer 0123456789abcdeF\r\n", "401", "wrong token");
    expect("GET /closed", HOST "Authorization: Bearer 0123456789abcde\r\n", "401", "wrong token");
    expect("GET /closed", HOST "Authorization: Bearer 0123456789abcdef0\r\n", "401", "wrong");
    expect("GET /closed", HOST "Authorization: Bearer \r\n", "401", "wrong token");
    expect("GET /closed", HOST "Authorization: Basic 0123456789abcdef\r\n", "401", "wrong token");
    expect("GET /closed", HOST "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n", "401",
           "wrong token");
}

Test(http_gate, an_open_route_asks_for_no_token)
{
    expect("GET /open", HOST, "200", "true");
    expect("HEAD /open", HOST "Connection: close\r\n", "200", "");
    expect("POST /open", HOST, "401", "no token");
}

Test(http_gate, a_stranger_does_not_learn_which_addresses_there_are)
{
    expect("GET /nowhere", HOST, "401", "no token");
    expect("POST /closed", HOST, "401", "no token");
    expect("GET /nowhere", HOST TOKEN, "404", "no_route");
}

Test(http_gate, only_names_of_this_machine_and_listed_ones_are_hosts)
{
    expect("GET /open", "Host: LOCALHOST:8080\r\n", "200", "true");
    expect("GET /open", "Host: 127.0.0.1:1\r\n", "200", "true");
    expect("GET /open", "Host: [::1]:80\r\n", "200", "true");
    expect("GET /open", "Host: sluice.example\r\n", "200", "true");
    expect("GET /open", "Host: evil.example\r\n", "403", "host_not_allowed");
    expect("GET /open", "Host: localhost.evil.example\r\n", "403", "host_not_allowed");
    expect("GET /open", "Host: localhost:80x\r\n", "403", "host_not_allowed");
    expect("GET /open", "Host: [::1\r\n", "403", "host_not_allowed");
    expect("GET /open", "Host: \r\n", "403", "host_not_allowed");
    expect("GET /open", "", "400", "Host header is missing");
    expect("GET /open", HOST HOST, "400", "came twice");
}

Test(http_gate, a_page_of_another_origin_is_refused)
{
    expect("GET /open", HOST "Origin: https://sluice.example\r\n", "200", "true");
    expect("GET /open", HOST "Origin: https://sluice.example:8443\r\n", "200", "true");
    expect("GET /open", HOST "Origin: https://evil.example\r\n", "403", "origin_not_allowed");
    expect("GET /open", HOST "Origin: http://localhost:3000\r\n", "403", "origin_not_allowed");
    expect("GET /open", HOST "Origin: null\r\n", "403", "origin_not_allowed");
}

Test(http_gate, a_body_of_another_type_is_refused)
{
    expect("POST /jobs",
           HOST TOKEN "Content-Type: application/json; charset=utf-8\r\n"
                      "Content-Length: 2\r\n\r\n{}",
           "200", "true");
    expect("POST /jobs", HOST TOKEN "Content-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", "415",
           "Content-Type 'text/html'; allowed: application/json");
    expect("POST /jobs", HOST TOKEN "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "415",
           "Content-Encoding 'gzip'");
}

Test(http_gate, a_body_that_nobody_asked_for_is_refused)
{
    expect("GET /closed", HOST TOKEN "Content-Length: 2\r\n\r\n{}", "400", "body_not_allowed");
    expect("GET /closed", HOST TOKEN "Content-Length: 0\r\n", "200", "true");
}

Test(http_gate, two_idempotency_keys_are_refused)
{
    expect("POST /jobs",
           HOST TOKEN "Idempotency-Key: a\r\nidempotency-key: a\r\nContent-Length: 2\r\n\r\n{}",
           "400", "came twice");
}

Test(http_gate, lengths_that_a_proxy_could_read_otherwise_are_refused)
{
    expect("POST /jobs", HOST TOKEN "Content-Length: 2\r\nContent-Length: 3\r\n", "400", "twice");
    expect("POST /jobs", HOST TOKEN "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "400",
           "exclude each other");
    expect("POST /jobs", HOST TOKEN "Transfer-Encoding: gzip, chunked\r\n", "501", "gzip, chunked");
    expect("POST /jobs", HOST TOKEN "Content-Length : 2\r\n", "400", "holds a space");
    expect("POST /jobs", HOST TOKEN "Content-Length: -2\r\n", "400", "");
    expect("POST /jobs", HOST TOKEN "Content-Length: 99999999999999999999999\r\n", "413", "");
    expect("POST /jobs", HOST TOKEN "Content-Length: 18446744073709551615\r\n", "413", "");
}

/* Announces a body and sends none: only a server that does not wait for it answers. */
Test(http_gate, who_may_not_send_a_body_is_told_before_it_is_read)
{
    expect("POST /jobs", HOST "Content-Length: 500\r\n", "401", "\r\nConnection: close\r\n");
    expect("POST /jobs", HOST TOKEN "Content-Length: 1001\r\n", "413",
           "[http] max_body is 1000 bytes");
    expect("POST /jobs", HOST TOKEN "Origin: null\r\nContent-Length: 500\r\n", "403", "origin");
    expect("POST /jobs", HOST TOKEN "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n", "415",
           "\r\nConnection: close\r\n");
    cr_expect_eq(handled, 0);
}

Test(http_gate, who_waits_for_leave_to_send_gets_it_or_the_refusal)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd,
        "POST /jobs HTTP/1.1\r\n" HOST TOKEN "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CLEANUP(cleanup_free) char *leave = hear_head(fd);
    cr_expect_str_eq(leave, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "{}");
    CLEANUP(cleanup_free) char *result = hear(fd);
    cr_expect_eq(strncmp(result, "HTTP/1.1 200", 12), 0, "%s", result);
    expect("POST /jobs", HOST "Expect: 100-continue\r\nContent-Length: 2\r\n", "401", "no token");
}

Test(http_gate, errors_are_json_with_a_code_and_a_message)
{
    CLEANUP(cleanup_free) char *text = ask(&served, "GET /nowhere HTTP/1.1\r\n" HOST TOKEN "\r\n");
    json_t *body = json_loads(strstr(text, "\r\n\r\n") + 4, 0, NULL);
    json_t *error = json_object_get(body, "error");
    cr_expect_not_null(strstr(text, "\r\nContent-Type: application/json\r\n"));
    cr_expect_str_eq(json_string_value(json_object_get(error, "code")), "no_route");
    cr_expect_not_null(json_string_value(json_object_get(error, "message")));
    json_decref(body);
}

Test(http_gate_unix, behind_a_unix_socket_any_host_will_do_but_no_other_origin)
{
    struct http_options options = served_options(routes, &handled);
    CLEANUP(served_stop) struct served local;
    served_start(&local, &options);
    expect_answer(&local, "GET /closed HTTP/1.1\r\nHost: whatever\r\n\r\n", "200", "true");
    expect_answer(&local, "GET /closed HTTP/1.1\r\n\r\n", "200", "true");
    expect_answer(&local, "GET /closed HTTP/1.1\r\nOrigin: http://evil.example\r\n\r\n", "403",
                  "origin_not_allowed");
}
