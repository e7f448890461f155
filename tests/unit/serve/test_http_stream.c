/* Answers without an end, and readers of every kind. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../await.h"
#include "serve/http_stream.h"
#include "served.h"
#include "support/cleanup.h"

static struct http_stream *_Atomic begun;

static void begin(void *context, struct http_request *request)
{
    (void)context;
    http_add_header(request, "Cache-Control", "no-store");
    atomic_store(&begun, http_stream_begin(request, "text/event-stream"));
}

static void count_down(void *context, struct http_request *request)
{
    (void)context;
    struct http_stream *stream = http_stream_begin(request, "text/plain");
    http_stream_write(stream, "3 2 1", 5);
    http_stream_end(&stream);
    http_stream_end(&stream);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/begin", .handle = begin},
    {.method = HTTP_GET, .pattern = "/keep", .handle = served_keep},
    {.method = HTTP_GET, .pattern = "/count", .handle = count_down},
    {0},
};

static void start(void)
{
    served_begin(routes);
}

TestSuite(http_stream, .init = start, .fini = served_end);

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static enum http_sent write_text(struct http_stream *stream, const char *text)
{
    return http_stream_write(stream, text, strlen(text));
}

/* Says the request and waits for the stream. */
static struct http_stream *begin_stream(int fd)
{
    say(fd, GET("/begin"));
    AWAIT(atomic_load(&begun) != NULL);
    return atomic_exchange(&begun, NULL);
}

Test(http_stream, what_is_written_arrives_at_once)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    struct http_stream *stream = begin_stream(fd);
    CLEANUP(cleanup_free) char *head = hear_until(fd, "\r\n\r\n");
    cr_expect_not_null(strstr(head, "\r\nContent-Type: text/event-stream\r\n"));
    cr_expect_not_null(strstr(head, "\r\nCache-Control: no-store\r\n"));
    for (int i = 0; i < 500; i++) {
        cr_assert_eq(write_text(stream, "data: x\n\n"), HTTP_SENT);
        CLEANUP(cleanup_free) char *event = hear_until(fd, "data: x\n\n\r\n");
    }
    http_stream_end(&stream);
    CLEANUP(cleanup_free) char *end = hear_until(fd, "0\r\n\r\n");
    cr_expect_str_eq(end, "0\r\n\r\n");
}

Test(http_stream, a_stream_may_end_before_its_handler_is_back)
{
    expect_answer(&served, GET("/count"), "200", "\r\n5\r\n3 2 1\r\n0\r\n\r\n");
}

Test(http_stream, a_stream_may_begin_later_on_another_thread)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, GET("/keep"));
    AWAIT(atomic_load(&served_kept) != NULL);
    struct http_stream *stream = http_stream_begin(served_kept, "text/plain");
    cr_expect_eq(write_text(stream, "later"), HTTP_SENT);
    http_stream_end(&stream);
    CLEANUP(cleanup_free) char *all = hear(fd);
    cr_expect_not_null(strstr(all, "\r\nlater\r\n0\r\n\r\n"));
}

Test(http_stream, the_connection_is_free_for_another_request_after_it)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    for (int i = 0; i < 20; i++) {
        say(fd, GET("/count"));
        CLEANUP(cleanup_free) char *all = hear(fd);
        cr_assert_not_null(strstr(all, "3 2 1"));
    }
}

Test(http_stream, head_and_old_clients_get_what_they_understand)
{
    CLEANUP(cleanup_close) int old = served_connect(&served);
    say(old, "GET /count HTTP/1.0\r\n\r\n");
    CLEANUP(cleanup_free) char *all = hear_all(old);
    cr_expect_not_null(strstr(all, "\r\n\r\n3 2 1"));
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, "HEAD /count HTTP/1.1\r\nConnection: close\r\n\r\n");
    CLEANUP(cleanup_free) char *head = hear_all(fd);
    cr_expect_str_eq(strstr(head, "\r\n\r\n"), "\r\n\r\n");
}

/* Writes pieces of this many bytes until it is refused; returns how many were taken. */
static size_t write_until_full(struct http_stream *stream, size_t piece)
{
    CLEANUP(cleanup_free) char *text = malloc(piece);
    size_t taken = 0;

    memset(text, 'x', piece);
    while (http_stream_write(stream, text, piece) == HTTP_SENT)
        taken += piece;
    return taken;
}

Test(http_stream, a_slow_reader_is_told_of_and_loses_nothing_that_was_taken)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    struct http_stream *stream = begin_stream(fd);
    size_t taken = write_until_full(stream, 1000);
    cr_expect_geq(taken, HTTP_STREAM_BYTES - 1000);
    cr_expect_eq(write_text(stream, "y"), HTTP_SENT); /* what fits is taken */
    http_stream_end(&stream);
    CLEANUP(cleanup_free) char *all = hear(fd);
    size_t heard = 0;
    for (const char *at = strstr(all, "\r\n\r\n"); *at != '\0'; at++)
        heard += *at == 'x';
    cr_expect_eq(heard, taken, "%zu of %zu", heard, taken);
    cr_expect_not_null(strchr(all, 'y'));
}

Test(http_stream, there_is_room_for_what_is_insisted_on_and_not_for_more)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    struct http_stream *stream = begin_stream(fd);
    while (write_until_full(stream, 1000) > 0) /* until the client's own room is full, too */
        sched_yield();
    size_t insisted = 0;
    while (http_stream_insist(stream, "the end\n", 8) == HTTP_SENT)
        insisted += 8;
    cr_expect_geq(insisted, HTTP_STREAM_MORE_BYTES - 8);
    http_stream_end(&stream);
    CLEANUP(cleanup_free) char *all = hear(fd);
    size_t heard = 0;
    /* A chunk may end anywhere; its size has no h in it. */
    for (const char *at = strstr(all, "\r\n\r\n"); *at != '\0'; at++)
        heard += *at == 'h' ? 8 : 0;
    cr_expect_eq(heard, insisted);
}

Test(http_stream, a_reader_that_has_caught_up_is_written_to_again)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    struct http_stream *stream = begin_stream(fd);
    write_until_full(stream, HTTP_STREAM_BYTES / 4);
    CLEANUP(cleanup_free) char *head = hear_until(fd, "\r\n\r\n");
    char bytes[4096];
    while (write_text(stream, "more") == HTTP_FULL)
        cr_assert_gt(recv(fd, bytes, sizeof(bytes), 0), 0);
    http_stream_end(&stream);
}

Test(http_stream, a_reader_that_has_left_is_found_out)
{
    int fd = served_connect(&served);
    struct http_stream *stream = begin_stream(fd);
    CLEANUP(cleanup_free) char *head = hear_until(fd, "\r\n\r\n");
    close(fd);
    AWAIT(write_text(stream, "anybody?") == HTTP_GONE);
    http_stream_end(&stream);
}

Test(http_stream, a_reader_that_takes_nothing_is_left_after_a_while)
{
    struct http_options options = served_options(routes, NULL);
    options.limits.answer_ns = 50 * NS_PER_MS;
    CLEANUP(served_stop) struct served hasty;
    served_start(&hasty, &options);
    CLEANUP(cleanup_close) int fd = served_connect(&hasty);
    struct http_stream *stream = begin_stream(fd);
    write_until_full(stream, 1000);
    AWAIT(write_text(stream, "anybody?") == HTTP_GONE);
    http_stream_end(&stream);
}

Test(http_stream, a_quiet_stream_has_no_deadline)
{
    struct http_options options = served_options(routes, NULL);
    options.limits.answer_ns = options.limits.idle_ns = 100 * NS_PER_MS;
    CLEANUP(served_stop) struct served hasty;
    served_start(&hasty, &options);
    CLEANUP(cleanup_close) int fd = served_connect(&hasty);
    struct http_stream *stream = begin_stream(fd);
    CLEANUP(cleanup_free) char *head = hear_until(fd, "\r\n\r\n");
    /* Others that say nothing more are shut down meanwhile, one after the other. */
    for (int i = 0; i < 3; i++) {
        CLEANUP(cleanup_close) int silent = served_connect(&hasty);
        say(silent, GET("/none"));
        CLEANUP(cleanup_free) char *all = hear_all(silent);
    }
    cr_expect_eq(write_text(stream, "still here"), HTTP_SENT);
    CLEANUP(cleanup_free) char *text = hear_until(fd, "still here");
    http_stream_end(&stream);
}

Test(http_stream, a_stop_ends_streams_after_what_was_written)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    struct http_stream *stream = begin_stream(fd);
    cr_expect_eq(write_text(stream, "last words"), HTTP_SENT);
    http_stop(&served.http, clock_now_ns() + 10 * NS_PER_S);
    CLEANUP(cleanup_free) char *all = hear_all(fd);
    cr_expect_not_null(strstr(all, "last words\r\n0\r\n\r\n"), "%s", all);
    cr_expect_eq(write_text(stream, "too late"), HTTP_GONE);
    http_stream_end(&stream);
}

Test(http_stream, a_stop_does_not_wait_for_a_reader_beyond_its_deadline)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    struct http_stream *stream = begin_stream(fd);
    write_until_full(stream, 1000);
    http_stop(&served.http, clock_now_ns() + 20 * NS_PER_MS);
    cr_expect_eq(write_text(stream, "too late"), HTTP_GONE);
    http_stream_end(&stream);
}

Test(http_stream, a_stream_that_begins_after_the_stop_is_gone)
{
    CLEANUP(cleanup_close) int fd = served_connect(&served);
    say(fd, GET("/keep"));
    AWAIT(atomic_load(&served_kept) != NULL);
    http_stop(&served.http, clock_now_ns());
    struct http_stream *stream = http_stream_begin(served_kept, "text/plain");
    cr_expect_eq(write_text(stream, "too late"), HTTP_GONE);
    http_stream_end(&stream);
}
