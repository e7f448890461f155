#include "served.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "serve/listener.h"
#include "support/buffer.h"
#include "support/cleanup.h"

struct served served;
struct http_request *_Atomic served_kept;

struct http_options served_options(const struct http_route *routes, void *context)
{
    struct http_options options = {
        .routes = routes, .context = context, .limits = HTTP_LIMITS_DEFAULT};

    options.limits.max_body = 1000;
    options.limits.max_body_total = 4000;
    options.limits.max_connections = 32;
    while (routes[options.routes_count].pattern != NULL)
        options.routes_count++;
    return options;
}

static void start(struct served *of, const struct http_options *options)
{
    struct error error;
    struct http_options copy = *options;

    of->listen_fd = listener_open(of->address, &error);
    cr_assert_geq(of->listen_fd, 0, "%s", error.message);
    copy.listen_fd = of->listen_fd;
    of->http = http_start(&copy, &error);
    cr_assert_not_null(of->http, "%s", error.message);
}

void served_start(struct served *of, const struct http_options *options)
{
    *of = (struct served){.folder = "/tmp/served.XXXXXX"};
    cr_assert_not_null(mkdtemp(of->folder));
    snprintf(of->address, sizeof(of->address), "unix:%s/socket", of->folder);
    start(of, options);
}

void served_start_tcp(struct served *of, const struct http_options *options)
{
    *of = (struct served){.address = "127.0.0.1:0"};
    start(of, options);
}

void served_stop(struct served *of)
{
    http_stop(&of->http, clock_now_ns() + 10 * NS_PER_S);
    close(of->listen_fd);
    listener_remove(of->address);
    if (of->folder[0] != '\0')
        cr_expect_eq(rmdir(of->folder), 0);
}

void served_begin(const struct http_route *routes)
{
    struct http_options options = served_options(routes, NULL);
    served_start(&served, &options);
}

void served_end(void)
{
    served_stop(&served);
}

void served_keep(void *context, struct http_request *request)
{
    (void)context;
    atomic_store(&served_kept, request);
}

int served_connect(const struct served *of)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(listener_port(of->listen_fd)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 20};
    bool is_unix = of->folder[0] != '\0';

    if (is_unix)
        snprintf(un.sun_path, sizeof(un.sun_path), "%s", of->address + strlen("unix:"));
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    int failed = is_unix ? connect(fd, (struct sockaddr *)&un, sizeof(un))
                         : connect(fd, (struct sockaddr *)&in, sizeof(in));
    cr_assert_eq(failed, 0, "%s", strerror(errno));
    return fd;
}

void say_bytes(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0)
            return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

/* Reads more; false at the end. */
static bool read_more(int fd, struct buffer *text, size_t most)
{
    ssize_t got = recv(fd, buffer_reserve(text, most + 1), most, 0);
    cr_assert(got >= 0 || errno == ECONNRESET || errno == EPIPE, "nothing came: %s",
              strerror(errno));
    text->length += got > 0 ? (size_t)got : 0;
    buffer_text(text);
    return got > 0;
}

static bool ends_with(const struct buffer *text, const char *end)
{
    size_t length = strlen(end);
    return text->length >= length && memcmp(text->bytes + text->length - length, end, length) == 0;
}

char *hear_until(int fd, const char *wanted)
{
    struct buffer text = BUFFER_EMPTY;

    /* One byte at a time: what follows is for the next. */
    while (!ends_with(&text, wanted))
        cr_assert(read_more(fd, &text, 1), "the connection ended before '%s': %s", wanted,
                  buffer_text(&text));
    return text.bytes;
}

static bool read_head(int fd, struct buffer *text)
{
    while (!ends_with(text, "\r\n\r\n"))
        if (!read_more(fd, text, 1))
            return false;
    return true;
}

char *hear_head(int fd)
{
    struct buffer text = BUFFER_EMPTY;
    read_head(fd, &text);
    return text.bytes;
}

char *hear(int fd)
{
    struct buffer text = BUFFER_EMPTY;

    if (!read_head(fd, &text))
        return text.bytes;
    const char *length = strcasestr(text.bytes, "\r\nContent-Length:");
    if (length != NULL) {
        size_t whole = text.length + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
        while (text.length < whole && read_more(fd, &text, whole - text.length))
            ;
    } else if (strcasestr(text.bytes, "\r\nTransfer-Encoding: chunked") != NULL)
        while (!ends_with(&text, "\r\n0\r\n\r\n") && read_more(fd, &text, 1))
            ;
    return text.bytes;
}

char *hear_all(int fd)
{
    struct buffer text = BUFFER_EMPTY;

    buffer_text(&text);
    while (read_more(fd, &text, 4096))
        ;
    return text.bytes;
}

char *ask(const struct served *of, const char *text)
{
    CLEANUP(cleanup_close) int fd = served_connect(of);
    say(fd, text);
    return hear(fd);
}

void expect_answer(const struct served *of, const char *request, const char *status,
                   const char *text)
{
    CLEANUP(cleanup_free) char *answer = ask(of, request);
    char wanted[64];

    snprintf(wanted, sizeof(wanted), "HTTP/1.1 %s", status);
    cr_expect(strncmp(answer, wanted, strlen(wanted)) == 0 && strstr(answer, text) != NULL,
              "%.300s\n-- wanted: %s, %s; came:\n%s", request, status, text, answer);
}
