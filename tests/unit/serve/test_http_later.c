/* Answers that come after the handler has returned, from another thread, or too late. */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../await.h"
#include "serve/http_request.h"
#include "served.h"
#include "support/cleanup.h"
#include "support/thread.h"

enum { KEPT_MOST = 64 };

/* Requests that handlers have kept. */
static struct http_request *_Atomic kept[KEPT_MOST];
static atomic_int kept_count;
/* A thread that answers what it is handed at once, also before the handler has returned. */
static struct http_request *_Atomic handed;
static atomic_bool over;
static struct thread answerer;

static void keep(void *context, struct http_request *request)
{
    (void)context;
    int index = atomic_fetch_add(&kept_count, 1);
    atomic_store(&kept[index], request);
}

static void answer_kept(int index, const char *text)
{
    struct buffer body = BUFFER_EMPTY;

    AWAIT(atomic_load(&kept[index]) != NULL);
    buffer_puts(&body, text);
    http_answer(atomic_load(&kept[index]), 200, "text/plain", &body);
}

static void answerer_run(void *argument)
{
    (void)argument;
    while (!atomic_load(&over)) {
        struct http_request *request = atomic_exchange(&handed, NULL);
        if (request != NULL)
            http_answer_json(request, 200, json_string("raced"));
        else
            sched_yield();
    }
}

/* Hands it to the other thread; every second time waits until that has surely taken it. */
static void hand_over(void *context, struct http_request *request)
{
    static int count;

    (void)context;
    atomic_store(&handed, request);
    if (count++ % 2 == 0)
        AWAIT(atomic_load(&handed) == NULL);
}

static void answer_at_once(void *context, struct http_request *request)
{
    (void)context;
    http_answer_json(request, 200, json_string("at once"));
}

static atomic_bool left;

/* Returns only when the client has left, so that the server sees that before anything else. */
static void keep_until_left(void *context, struct http_request *request)
{
    keep(context, request);
    AWAIT(atomic_load(&left));
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/keep", .handle = keep},
    {.method = HTTP_POST, .pattern = "/keep", .body = "*", .handle = keep},
    {.method = HTTP_GET, .pattern = "/left", .handle = keep_until_left},
    {.method = HTTP_GET, .pattern = "/race", .handle = hand_over},
    {.method = HTTP_GET, .pattern = "/now", .handle = answer_at_once},
    {0},
};

static void start(void)
{
    served_begin(routes);
    cr_assert(thread_start(&answerer, "answerer", answerer_run, NULL, NULL));
}

static void stop(void)
{
    atomic_store(&over, true);
    thread_join(&answerer);
    served_end();
}

/* Leaves with a reset, which the other side sees at its next look. */
static void reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

TestSuite(http_later, .init = start, .fini = stop);

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

Test(http_later, an_answer_may_come_from_another_thread_after_the_handler_is_back)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, GET("/keep") GET("/now"));
    AWAIT(atomic_load(&kept_count) == 1);
    /* The server is free for others meanwhile. */
    expect_answer(&served, GET("/now"), "200", "at once");
    answer_kept(0, "late");
    CLEANUP(cleanup_free) char *late = hear(fd);
    CLEANUP(cleanup_free) char *next = hear(fd);
    cr_expect_not_null(strstr(late, "\r\n\r\nlate"));
    cr_expect_not_null(strstr(next, "\"at once\""));
}

Test(http_later, an_answer_may_race_with_the_return_of_the_handler)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    for (int i = 0; i < 2000; i++) {
        say(fd, GET("/race"));
        CLEANUP(cleanup_free) char *answer = hear(fd);
        cr_assert_not_null(strstr(answer, "\"raced\""), "%d: %s", i, answer);
    }
}

Test(http_later, answers_come_in_any_order)
{
    enum { CLIENTS = 16 };
    int fds[CLIENTS];

    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = served_connect(&served);
        say(fds[i], GET("/keep"));
        AWAIT(atomic_load(&kept_count) == i + 1);
    }
    for (int i = CLIENTS - 1; i >= 0; i--)
        answer_kept(i, (char[]){(char)('a' + i), '\0'});
    for (int i = 0; i < CLIENTS; i++) {
        CLEANUP(cleanup_free) char *answer = hear(fds[i]);
        cr_expect_eq(strstr(answer, "\r\n\r\n")[4], 'a' + i);
        close(fds[i]);
    }
}

Test(http_later, a_client_that_has_left_does_not_hurt_the_answer)
{
    int fd = served_connect(&served);
    say(fd, GET("/keep"));
    AWAIT(atomic_load(&kept_count) == 1);
    close(fd);
    answer_kept(0, "nobody hears");
    expect_answer(&served, GET("/now"), "200", "at once");
}

Test(http_later, a_client_may_leave_while_its_handler_is_called)
{
    /* libmicrohttpd looks at its oldest connection first: that is not to be the one. */
    CLEANUP(cleanup_close) int oldest = served_connect(&served);
    say(oldest, GET("/now"));
    CLEANUP(cleanup_free) char *answer = hear(oldest);
    int fd = served_connect(&served);
    say(fd, GET("/left"));
    AWAIT(atomic_load(&kept_count) == 1);
    reset(fd);
    atomic_store(&left, true);
    /* By the end of this the server has let go of that connection and used its memory again. */
    for (int i = 0; i < 16; i++)
        expect_answer(&served, GET("/now"), "200", "at once");
    answer_kept(0, "nobody hears");
    expect_answer(&served, GET("/now"), "200", "at once");
}

Test(http_later, a_client_that_only_stops_sending_still_gets_its_answer)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, GET("/keep"));
    AWAIT(atomic_load(&kept_count) == 1);
    shutdown(fd, SHUT_WR);
    answer_kept(0, "late");
    CLEANUP(cleanup_free) char *answer = hear(fd);
    cr_expect_not_null(strstr(answer, "\r\n\r\nlate"));
}

static void stop_run(void *argument)
{
    (void)argument;
    http_stop(&served.http, clock_now_ns() + 10 * NS_PER_S);
}

Test(http_later, a_stop_waits_for_the_requests_in_hand)
{
    struct thread stopper;
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    CLEANUP(cleanup_close) int idle = served_connect(&served);
    say(idle, GET("/now"));
    CLEANUP(cleanup_free) char *first = hear(idle);
    say(fd, GET("/keep"));
    AWAIT(atomic_load(&kept_count) == 1);
    cr_assert(thread_start(&stopper, "stopper", stop_run, NULL, NULL));
    CLEANUP(cleanup_free) char *nothing = hear_all(idle); /* the stop has begun */
    answer_kept(0, "just in time");
    CLEANUP(cleanup_free) char *answer = hear_all(fd);
    thread_join(&stopper);
    cr_expect_str_eq(nothing, "");
    cr_expect_not_null(strstr(answer, "\r\nConnection: close\r\n"));
    const char *date = strstr(answer, "\r\nDate: ");
    cr_assert_not_null(date);
    cr_expect_null(strstr(date + 1, "\r\nDate: "), "%s", answer);
    cr_expect_not_null(strstr(answer, "\r\n\r\njust in time"));
}

Test(http_later, a_stop_gives_up_at_its_deadline_and_a_late_answer_goes_nowhere)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, "POST /keep HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
    AWAIT(atomic_load(&kept_count) == 1);
    http_stop(&served.http, clock_now_ns() + 10 * NS_PER_MS);
    CLEANUP(cleanup_free) char *answer = hear_all(fd);
    size_t length;
    cr_expect_str_eq(answer, "");
    cr_expect_str_eq(http_body(kept[0], &length), "body");
    answer_kept(0, "nobody hears");
}

Test(http_later, a_drain_lets_no_new_client_in_and_closes_idle_ones)
{
    CLEANUP(cleanup_close) int idle = served_connect(&served);
    say(idle, GET("/now"));
    CLEANUP(cleanup_free) char *first = hear(idle);
    http_drain(served.http);
    http_drain(served.http);
    CLEANUP(cleanup_free) char *nothing = hear_all(idle);
    cr_expect_str_eq(nothing, "");
    CLEANUP(cleanup_close) int fd = served_connect(&served); /* into the backlog */
    say(fd, GET("/now"));
    char byte;
    cr_expect_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
}
