#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "serve/http/internal.h"

#define FULL_BODY                                                                                  \
    "{\"error\":{\"code\":\"too_many_connections\",\"message\":\"no connection is free\"}}\n"

/* What a connection too many gets, before anything of it is read. */
static const char full_answer[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                  "Content-Type: application/json\r\nRetry-After: 1\r\n"
                                  "Connection: close\r\nContent-Length: %zu\r\n\r\n" FULL_BODY;

/* Libmicrohttpd sees the end of it and closes it. */
static void connection_refuse(int fd)
{
    char text[sizeof(full_answer) + 20];
    char unread[4096];

    int length = snprintf(text, sizeof(text), full_answer, sizeof(FULL_BODY) - 1);
    send(fd, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR);
    /* What is left unread when it is closed would take the answer away from the client. */
    while (recv(fd, unread, sizeof(unread), MSG_DONTWAIT) == sizeof(unread))
        ;
}

static int fd_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void connection_open(struct http *http, struct MHD_Connection *mhd, void **context)
{
    struct http_connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        abort();
    connection->http = http;
    connection->mhd = mhd;
    connection->fd = fd_of(mhd);
    connection->next = http->connections;
    connection->place = &http->connections;
    if (connection->next != NULL)
        connection->next->place = &connection->next;
    http->connections = connection;
    http->connections_count++;
    connection_limit(connection, http->options.limits.header_ns);
    *context = connection;
}

static void connection_close(struct http_connection *connection)
{
    if (connection == NULL)
        return;
    connection->http->connections_count--;
    *connection->place = connection->next;
    if (connection->next != NULL)
        connection->next->place = connection->place;
    if (connection->spare != NULL)
        request_free(connection->spare);
    answer_forget(&connection->answer);
    free(connection);
}

static void connection_begin(struct http *http, struct MHD_Connection *mhd, void **context)
{
    if (http->is_retrying)
        return;
    http->accepted_count++;
    http->accept_at_ns = 0;
    if (http->connections_count < http->options.limits.max_connections)
        connection_open(http, mhd, context);
    else
        connection_refuse(fd_of(mhd));
}

void connection_on_notify(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_begin(cls, mhd, context);
    else
        connection_close(*context);
}

struct http_connection *connection_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void connection_limit(struct http_connection *connection, int64_t span_ns)
{
    struct http *http = connection->http;

    connection->deadline_ns =
        span_ns == CLOCK_NEVER_NS ? CLOCK_NEVER_NS : clock_add_ns(http->now_ns, span_ns);
    if (connection->deadline_ns < http->sweep_at_ns)
        http->sweep_at_ns = connection->deadline_ns;
}

void connection_sweep(struct http *http, int64_t now_ns)
{
    int64_t next_ns = CLOCK_NEVER_NS;

    for (struct http_connection *c = http->connections; c != NULL; c = c->next) {
        if (c->deadline_ns <= now_ns) {
            /* libmicrohttpd sees the end of it and closes it. */
            shutdown(c->fd, SHUT_RDWR);
            c->deadline_ns = CLOCK_NEVER_NS;
        } else if (c->deadline_ns < next_ns)
            next_ns = c->deadline_ns;
    }
    http->sweep_at_ns = next_ns;
}

void connection_drain(struct http *http)
{
    for (struct http_connection *c = http->connections; c != NULL; c = c->next) {
        if (c->stream != NULL)
            stream_close(c->stream);
        else if (c->request == NULL)
            shutdown(c->fd, SHUT_RDWR);
    }
}

void connection_give_up(struct http *http)
{
    for (struct http_connection *c = http->connections; c != NULL; c = c->next) {
        if (c->stream != NULL)
            stream_close(c->stream);
        else if (c->request != NULL && c->request->phase == REQUEST_HANDLING) {
            request_resume(c->request);
            request_give_up(c->request);
        }
    }
}
