/* internal: what the files of the HTTP room share. Included by nobody else.
 *
 * Everything but the queue of what is ready, the count of holders and the inside of a stream
 * belongs to the http thread, and libmicrohttpd is called on it alone: whoever answers elsewhere
 * leaves the answer in the request and pushes that into the queue.
 *
 * A request: REQUEST_HEAD -> [REQUEST_BODY] -> REQUEST_HANDLING -> REQUEST_ANSWERED, or from
 * anywhere to ANSWERED when it is refused. While HANDLING it is the handler's, and soon after the
 * handler's call has returned its connection is suspended; in all other phases it is the
 * connection's.
 * A client that leaves before the connection is suspended, or a server that stops, cuts the two
 * apart: request->connection is NULL, and the late answer frees it. */
#pragma once

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/http.h"
#include "serve/http_request.h"
#include "serve/http_stream.h"
#include "support/buffer.h"
#include "support/thread.h"

enum http_phase { HTTP_RUNNING, HTTP_DRAINING, HTTP_STOPPING };

/* Something that another thread has made ready for the http thread, which calls take. */
struct http_ready {
    struct http_ready *next;
    void (*take)(struct http_ready *ready);
};

struct http {
    /* immutable */
    struct http_options options;
    char *token;
    bool checks_host;
    int wake_fd;
    struct thread thread;
    /* any thread */
    _Atomic(struct http_ready *) ready; /* the last pushed first; &closed_queue: nobody takes */
    atomic_uint holders;                /* the server, requests handled, streams: who may push */
    _Atomic(enum http_phase) phase;
    _Atomic int64_t stop_deadline_ns;
    /* http thread */
    struct MHD_Daemon *daemon;
    struct http_connection *connections;
    unsigned connections_count;
    unsigned requests_count; /* whose headers are complete, up to the end of the answer */
    unsigned handled_count;  /* requests that were handed to handlers in this turn */
    size_t body_total;
    int64_t now_ns;          /* when the turn began: precise enough for deadlines of seconds */
    int64_t date_s;          /* the wall clock then, */
    char date[30];           /* and as answers say it */
    int64_t sweep_at_ns;     /* no deadline is earlier */
    unsigned accepted_count; /* connections so far, also those that were refused */
    int64_t accept_at_ns;    /* no descriptor was left: not before; 0: there was one */
    bool is_retrying;        /* what is added now is not a connection, see retry_accepting */
    bool drained;            /* what http_drain asks for is done */
};

/* The answer that a connection has sent last, but for streams. */
struct http_answer {
    struct MHD_Response *mhd; /* NULL: there was none */
    const char *bytes;        /* of its body; gone, perhaps */
    size_t length;
    const char *content_type;
    int64_t date_s;        /* http.date_s, when it was sent */
    struct buffer headers; /* as those of a request */
};

struct http_connection {
    struct http *http;
    struct MHD_Connection *mhd;
    int fd;
    int64_t deadline_ns; /* then it is shut down */
    bool is_used;        /* it had a request before this one */
    struct http_request *request;
    struct http_request *spare; /* memory of the one before; may be NULL */
    struct http_answer answer;
    struct http_stream *stream; /* that is being sent; holds a share */
    struct http_connection *next, **place;
};

enum request_phase { REQUEST_HEAD, REQUEST_BODY, REQUEST_HANDLING, REQUEST_ANSWERED };

struct http_pair {
    const char *key, *value;
};

/* The headers that are looked at; none of them may come twice. */
enum http_seen {
    SEEN_HOST,
    SEEN_ORIGIN,
    SEEN_AUTHORIZATION,
    SEEN_LENGTH,
    SEEN_TRANSFER,
    SEEN_TYPE,
    SEEN_ENCODING,
    SEEN_KEY,
    SEEN_COUNT,
};

struct http_request {
    struct http_ready ready;
    struct http *http;
    struct http_connection *connection;
    enum request_phase phase;
    const struct http_route *route;
    const char *head[SEEN_COUNT]; /* libmicrohttpd's, until the handler has returned */
    /* path and query, which point into text */
    const char *segments[HTTP_SEGMENTS_MOST];
    size_t segments_count;
    struct http_pair query[HTTP_QUERY_MOST];
    size_t query_count;
    /* body */
    struct buffer body;
    size_t body_counted;   /* in body_total */
    size_t body_discarded; /* of one that was refused on the way */
    bool is_head;
    bool has_body;
    bool is_counted;   /* in requests_count */
    bool is_suspended; /* libmicrohttpd's connection is */
    /* answer */
    unsigned status;
    const char *content_type;
    struct buffer answer;  /* stays until it was sent */
    struct buffer headers; /* name, NUL, value, NUL, ... */
    struct http_stream *stream;
    size_t text_bytes; /* room for: */
    char text[];       /* what was asked for, as it came, then cut into segments and pairs */
};

/* server.c */

/* Pushes what is ready and wakes the http thread; false if the server has stopped. The caller
 * counts among the holders. Any thread. */
bool server_push(struct http *http, struct http_ready *ready);

/* Adds a holder. Any thread. */
void server_hold(struct http *http);

/* Takes a holder back; the last one frees the server. Any thread. */
void server_release(struct http *http);

/* connection.c, all on the http thread */

/* libmicrohttpd's call when a connection begins and when it is closed. */
void connection_on_notify(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code);

/* Returns our side of libmicrohttpd's connection; NULL: it was refused. */
struct http_connection *connection_of(struct MHD_Connection *mhd);

/* Has the connection shut down when this much time is over since the turn began; CLOCK_NEVER_NS:
 * never. */
void connection_limit(struct http_connection *connection, int64_t span_ns);

/* Shuts down what is over its time, and says when to look again. */
void connection_sweep(struct http *http, int64_t now_ns);

/* Ends streams, closes connections without a request. */
void connection_drain(struct http *http);

/* Wakes everything that is suspended, so that libmicrohttpd may be stopped. */
void connection_give_up(struct http *http);

/* request.c */

/* libmicrohttpd's call for a request's first line. */
void *request_on_line(void *cls, const char *line, struct MHD_Connection *mhd);

/* libmicrohttpd's call when a request is over, however it ended. */
void request_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_RequestTerminationCode code);

/* libmicrohttpd's call for the complete headers, each piece of the body, the end of that, and when
 * a suspended connection goes on. */
enum MHD_Result request_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *length, void **context);

/* Says that this is the server's thread. */
void request_thread_is(struct http *http);

/* Has libmicrohttpd go on with a connection that waited for its answer, if it does. */
void request_resume(struct http_request *request);

/* Hands the answer that stands in the request to the http thread; the request is not the caller's
 * any more. */
void request_answered(struct http_request *request);

/* Frees it. */
void request_free(struct http_request *request);

/* Cuts a request off its connection: from here on it is the handler's alone. */
void request_give_up(struct http_request *request);

/* answer.c */

/* Gives the answer that stands in the request to libmicrohttpd. */
enum MHD_Result answer_send(struct http_request *request);

/* Frees it. */
void answer_forget(struct http_answer *answer);

/* uri.c */

/* Cuts and decodes request->text; refuses the request and returns false if it is malformed. */
bool uri_parse(struct http_request *request);

/* route.c */

/* Finds the route by path and method, or NULL. */
const struct http_route *route_find(const struct http_request *request, const char *method);

/* Refuses a request that no route is for: 404, or 405 with what the path can do. */
void route_refuse(struct http_request *request, const char *method);

/* Refuses a request with a key that the route does not know or has twice, and returns false. */
bool route_check_query(struct http_request *request);

/* Returns whether word, of length bytes, is one of those in the list, which spaces separate; no
 * matter the case. */
bool route_list_has(const char *list, const char *word, size_t length);

/* gate.c */

/* Looks at method and headers before a byte of the body is read: framing, host, origin, route,
 * token, body. Refuses the request or sets its route and has_body. */
void gate_check(struct http_request *request, const char *method);

/* body.c */

/* Counts a body of so many bytes in, or refuses the request and returns false. */
bool body_count(struct http_request *request, size_t length);

/* Adds a piece, or discards it if the request is refused; false if the client is to be cut off. */
bool body_add(struct http_request *request, const char *data, size_t length);

/* Gives back what was counted: the body is not needed any more. */
void body_uncount(struct http_request *request);

/* The same, and frees the body. */
void body_drop(struct http_request *request);

/* stream.c */

/* Makes the answer of which the connection's stream is the body. http thread. */
struct MHD_Response *stream_response(struct http_connection *connection);

/* Has the stream end after what was written; further writes say HTTP_GONE. http thread. */
void stream_close(struct http_stream *stream);

/* Says that nobody reads any more and gives the connection's share back. http thread. */
void stream_leave(struct http_stream **stream);
