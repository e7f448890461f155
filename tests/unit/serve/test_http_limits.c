/* What one client, or many of them, can take away from the others: nothing. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../await.h"
#include "serve/http_request.h"
#include "served.h"
#include "support/cleanup.h"
#include "support/thread.h"

static void answer(void *context, struct http_request *request)
{
    (void)context;
    http_answer_json(request, 200, json_true());
}

static void answer_much(void *context, struct http_request *request)
{
    struct buffer body = BUFFER_EMPTY;

    (void)context;
    memset(buffer_reserve(&body, 8 << 20), 'x', 8 << 20);
    body.length = 8 << 20;
    http_answer(request, 200, "text/plain", &body);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/now", .handle = answer},
    {.method = HTTP_GET, .pattern = "/much", .handle = answer_much},
    {.method = HTTP_POST, .pattern = "/keep", .body = "*", .handle = served_keep},
    {.method = HTTP_POST, .pattern = "/jobs", .body = "*", .handle = answer},
    {0},
};

static void start(void)
{
    served_begin(routes);
}

TestSuite(http_limits, .init = start, .fini = served_end);

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED    "Transfer-Encoding: chunked\r\n\r\n"

Test(http_limits, a_body_may_have_max_body_bytes_and_no_more)
{
    char body[1101];
    memset(body, 'x', 1100);
    body[1100] = '\0';

    for (size_t length = 1000; length <= 1001; length++) {
        CLEANUP(cleanup_free) char *text = NULL;
        cr_assert_gt(asprintf(&text, POST("/jobs") "Content-Length: %zu\r\n\r\n%.*s", length,
                              (int)length, body),
                     0);
        expect_answer(&served, text, length == 1000 ? "200" : "413",
                      length == 1000 ? "true" : "max_body is 1000 bytes");
    }
}

Test(http_limits, chunks_are_counted_as_they_come)
{
    char chunk[600];
    memset(chunk, 'x', sizeof(chunk));
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, POST("/jobs") CHUNKED);
    for (int i = 0; i < 2; i++) {
        say(fd, "258\r\n");
        say_bytes(fd, chunk, sizeof(chunk));
        say(fd, "\r\n");
    }
    say(fd, "0\r\n\r\n" GET("/now"));
    CLEANUP(cleanup_free) char *refused = hear(fd);
    CLEANUP(cleanup_free) char *next = hear(fd);
    cr_expect_eq(strncmp(refused, "HTTP/1.1 413", 12), 0, "%s", refused);
    cr_expect_eq(strncmp(next, "HTTP/1.1 200", 12), 0, "%s", next);
}

Test(http_limits, who_sends_on_for_ever_is_cut_off)
{
    static char chunk[0x10000];
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, POST("/jobs") CHUNKED);
    for (int i = 0; i < 100; i++) {
        say(fd, "10000\r\n");
        say_bytes(fd, chunk, sizeof(chunk));
        say(fd, "\r\n");
    }
    CLEANUP(cleanup_free) char *all = hear_all(fd);
    cr_expect_str_eq(all, "");
}

/* Four bodies of 1000 bytes are in hand; a fifth finds no room until one is answered. */
Test(http_limits, all_bodies_together_may_have_max_body_total_bytes)
{
    int fds[4];
    struct http_request *requests[4];
    char body[1001] = "";
    memset(body, 'x', 1000);

    for (int i = 0; i < 4; i++) {
        fds[i] = served_connect(&served);
        say(fds[i], POST("/keep") "Content-Length: 1000\r\n\r\n");
        say(fds[i], body);
        AWAIT(atomic_load(&served_kept) != NULL);
        requests[i] = atomic_exchange(&served_kept, NULL);
    }
    expect_answer(&served, POST("/jobs") "Content-Length: 1\r\n\r\nx", "503",
                  "max_body_total is 4000 bytes");
    expect_answer(&served, POST("/jobs") "Content-Length: 1\r\n\r\nx", "503",
                  "\r\nRetry-After: 1\r\n");
    expect_answer(&served, GET("/now"), "200", "true");
    for (int i = 0; i < 4; i++) {
        http_answer_json(requests[i], 200, json_true());
        CLEANUP(cleanup_free) char *text = hear(fds[i]);
        close(fds[i]);
    }
    for (int i = 0; i < 10; i++)
        expect_answer(&served, POST("/jobs") "Content-Length: 1\r\n\r\nx", "200", "true");
}

Test(http_limits, a_body_given_up_by_its_client_takes_no_room)
{
    for (int i = 0; i < 20; i++) {
        CLEANUP(cleanup_close) int fd = served_connect(&served);
        say(fd, POST("/jobs") "Content-Length: 900\r\n\r\nxxx");
    }
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    int64_t until_ns = clock_now_ns() + AWAIT_MOST_NS;
    for (bool has_room = false; !has_room;) {
        CLEANUP(cleanup_free)
        char *text = ask(&served, POST("/jobs") "Content-Length: 4\r\n\r\nbody");
        has_room = strncmp(text, "HTTP/1.1 200", 12) == 0;
        cr_assert_lt(clock_now_ns(), until_ns, "%s", text);
    }
}

Test(http_limits, headers_that_are_too_large_are_refused)
{
    static char large[HTTP_HEADER_BYTES + 1];
    memset(large, 'x', sizeof(large) - 1);
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, "GET /now HTTP/1.1\r\nHost: x\r\nX-Large: ");
    say(fd, large);
    say(fd, "\r\n\r\n");
    CLEANUP(cleanup_free) char *text = hear_all(fd);
    cr_expect(text[0] == '\0' || strncmp(text, "HTTP/1.1 431", 12) == 0, "%s", text);
    expect_answer(&served, GET("/now"), "200", "true");
}

static void start_hasty(struct served *hasty)
{
    struct http_options options = served_options(routes, NULL);
    options.limits.header_ns = options.limits.body_ns = options.limits.idle_ns =
        options.limits.answer_ns = 50 * NS_PER_MS;
    served_start(hasty, &options);
}

/* The same for who has said what he wants: before that nobody is held to so little time. */
static void start_hasty_after_headers(struct served *hasty)
{
    struct http_options options = served_options(routes, NULL);
    options.limits.body_ns = options.limits.idle_ns = options.limits.answer_ns = 50 * NS_PER_MS;
    served_start(hasty, &options);
}

/* Somebody asks something, says nothing more and is shut down for it. */
static void come_and_go(struct served *hasty)
{
    CLEANUP(cleanup_close) int fd = served_connect(hasty);
    say(fd, GET("/now"));
    CLEANUP(cleanup_free) char *all = hear_all(fd);
}

/* Whether an answer came: who is held up between two calls is late. */
static bool is_in_time(struct served *hasty, int *fd)
{
    *fd = served_connect(hasty);
    say(*fd, GET("/now"));
    CLEANUP(cleanup_free) char *text = hear(*fd);
    if (strstr(text, "true") != NULL)
        return true;
    close(*fd);
    return false;
}

/* Sends a byte whenever it can until the server hangs up. */
static void dribble(int fd, const char *text)
{
    int64_t until_ns = clock_now_ns() + AWAIT_MOST_NS;
    struct timeval pause = {.tv_usec = 5000};
    char byte;

    say(fd, text);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof(pause));
    while (send(fd, "x", 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) < 0)
        cr_assert_lt(clock_now_ns(), until_ns, "the server waits for ever: %s", text);
}

Test(http_limits, who_comes_and_says_nothing_is_left)
{
    CLEANUP(served_stop) struct served hasty;
    start_hasty(&hasty);
    CLEANUP(cleanup_close) int fd = served_connect(&hasty);
    CLEANUP(cleanup_free) char *text = hear_all(fd);
    cr_expect_str_eq(text, "");
}

Test(http_limits, headers_that_trickle_in_end_at_their_deadline)
{
    CLEANUP(served_stop) struct served hasty;
    start_hasty(&hasty);
    CLEANUP(cleanup_close) int first = served_connect(&hasty);
    dribble(first, "GET /now HTTP/1.1\r\nX-Slow: ");
    CLEANUP(cleanup_close) int line = served_connect(&hasty);
    dribble(line, "GET /");
    CLEANUP(cleanup_close) int second = -1;
    AWAIT(is_in_time(&hasty, &second));
    dribble(second, "GET /now HTTP/1.1\r\nX-Slow: ");
}

Test(http_limits, a_body_that_trickles_in_ends_at_its_deadline)
{
    CLEANUP(served_stop) struct served hasty;
    start_hasty(&hasty);
    CLEANUP(cleanup_close) int fd = served_connect(&hasty);
    dribble(fd, POST("/jobs") "Content-Length: 1000\r\n\r\n");
}

Test(http_limits, a_handler_may_take_longer_than_any_client_may)
{
    CLEANUP(served_stop) struct served hasty;
    start_hasty_after_headers(&hasty);
    CLEANUP(cleanup_close) int fd = served_connect(&hasty);
    say(fd, POST("/keep") "\r\n");
    AWAIT(atomic_load(&served_kept) != NULL);
    for (int i = 0; i < 3; i++) /* each is shut down after 50 ms */
        come_and_go(&hasty);
    http_answer_json(served_kept, 200, json_true());
    CLEANUP(cleanup_free) char *text = hear(fd);
    cr_expect_not_null(strstr(text, "true"));
}

Test(http_limits, who_does_not_take_its_answer_is_left)
{
    CLEANUP(served_stop) struct served hasty;
    start_hasty_after_headers(&hasty);
    CLEANUP(cleanup_close) int fd = served_connect(&hasty);
    say(fd, GET("/much"));
    CLEANUP(cleanup_free) char *head = hear_until(fd, "\r\n\r\n");
    /* Somebody else comes and goes, later than the deadline. */
    for (int i = 0; i < 3; i++)
        come_and_go(&hasty);
    CLEANUP(cleanup_free) char *rest = hear_all(fd);
    cr_expect_lt(strlen(rest), 8 << 20);
}

Test(http_limits, a_connection_too_many_is_told_and_the_others_go_on)
{
    enum { MOST = 32, MORE = 200 };
    int fds[MOST];

    for (int i = 0; i < MOST; i++) {
        fds[i] = served_connect(&served);
        say(fds[i], GET("/now"));
        CLEANUP(cleanup_free) char *text = hear(fds[i]);
        cr_assert_not_null(strstr(text, "true"));
    }
    for (int i = 0; i < MORE; i++) {
        CLEANUP(cleanup_close) int fd = served_connect(&served);
        CLEANUP(cleanup_free) char *text = hear_all(fd);
        cr_assert_eq(strncmp(text, "HTTP/1.1 503", 12), 0, "%s", text);
        cr_assert_not_null(strstr(text, "\r\nRetry-After: 1\r\n"));
        cr_assert_not_null(strstr(text, "\"code\":\"too_many_connections\""));
    }
    for (int i = 0; i < MOST; i++) {
        say(fds[i], GET("/now"));
        CLEANUP(cleanup_free) char *text = hear(fds[i]);
        cr_assert_not_null(strstr(text, "true"));
        close(fds[i]);
    }
    AWAIT(({
        CLEANUP(cleanup_free) char *text = ask(&served, GET("/now"));
        strstr(text, "true") != NULL;
    }));
}

/* Connects and asks while no descriptor can be made, and returns whether somebody who is connected
 * was answered. Criterion would need descriptors itself, so nothing is asserted here. */
static bool is_answered_without_descriptors(int connected, int late)
{
    static const char request[] = GET("/now");
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    struct rlimit files, none;
    char text[512] = "";

    getpeername(connected, (struct sockaddr *)&address, &length);
    getrlimit(RLIMIT_NOFILE, &files);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = files.rlim_max}; /* poll needs as many */
    setrlimit(RLIMIT_NOFILE, &none);
    connect(late, (struct sockaddr *)&address, length);
    send(late, request, sizeof(request) - 1, MSG_NOSIGNAL);
    send(connected, request, sizeof(request) - 1, MSG_NOSIGNAL);
    recv(connected, text, sizeof(text) - 1, 0);
    setrlimit(RLIMIT_NOFILE, &files);
    return strncmp(text, "HTTP/1.1 200", 12) == 0;
}

Test(http_limits, without_a_free_descriptor_it_waits_and_then_goes_on)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, GET("/now"));
    CLEANUP(cleanup_free) char *first = hear(fd);
    CLEANUP(cleanup_close) int late = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_expect(is_answered_without_descriptors(fd, late));
    CLEANUP(cleanup_free) char *answered = hear(late);
    cr_expect_not_null(strstr(answered, "true"));
}

Test(http_limits_start, too_few_descriptors_are_an_error_that_says_what_to_do)
{
    struct rlimit files, few;
    struct http_options options = served_options(routes, NULL);
    struct error error;

    getrlimit(RLIMIT_NOFILE, &files);
    few = (struct rlimit){.rlim_cur = 100, .rlim_max = files.rlim_max};
    options.limits.max_connections = 256;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    cr_expect_null(http_start(&options, &error));
    setrlimit(RLIMIT_NOFILE, &files);
    cr_expect_str_eq(error.message,
                     "[http] max_connections is 256, but 100 files may be open, which is enough "
                     "for 36: lower it, or raise `ulimit -n` (LimitNOFILE)");
}

enum { CLIENTS = 8, REQUESTS = 1000 };

static void client_run(void *argument)
{
    int *answered = argument;
    CLEANUP(cleanup_close) int fd = served_connect(&served);

    for (int i = 0; i < REQUESTS; i++) {
        bool posts = i % 3 == 0;
        say(fd, posts ? POST("/jobs") "Content-Length: 4\r\n\r\nbody" : GET("/now"));
        CLEANUP(cleanup_free) char *text = hear(fd);
        *answered += strstr(text, "\r\n\r\ntrue\n") != NULL;
    }
}

Test(http_limits, eight_clients_with_a_thousand_requests_each_are_all_answered)
{
    struct thread threads[CLIENTS];
    int answered[CLIENTS] = {0};

    for (int i = 0; i < CLIENTS; i++)
        cr_assert(thread_start(&threads[i], "client", client_run, &answered[i], NULL));
    for (int i = 0; i < CLIENTS; i++) {
        thread_join(&threads[i]);
        cr_expect_eq(answered[i], REQUESTS);
    }
}
