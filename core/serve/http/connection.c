#include <stdlib.h>
#include <sys/socket.h>

#include "serve/http/internal.h"

static void connection_open(struct http *http, struct MHD_Connection *mhd, void **context)
{
    struct http_connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        abort();
    connection->http = http;
    connection->mhd = mhd;
    connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
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
    connection->http->connections_count--;
    *connection->place = connection->next;
    if (connection->next != NULL)
        connection->next->place = connection->place;
    if (connection->spare != NULL)
        request_free(connection->spare);
    free(connection);
}

void connection_on_notify(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_open(cls, mhd, context);
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
