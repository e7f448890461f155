/* http: the HTTP side of the daemon, on libmicrohttpd: connections, limits, who may ask, and the
 * table of routes. Knows nothing of tasks. Created and stopped by the main thread; one thread of
 * its own, "http", accepts, reads, calls the handlers and sends. What a handler does with a request
 * is in http_request.h, endless answers are in http_stream.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/clock.h"
#include "support/error.h"

struct http;
struct http_request;

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

/* Whether a route asks for the token; without one in the options nothing does. */
enum http_access { HTTP_TOKEN, HTTP_OPEN };

/* Handles one request on the http thread, so it must not block: it answers at once, or keeps the
 * request and has it answered later by any thread, exactly once. */
typedef void http_handler(void *context, struct http_request *request);

/* One route. All of it is borrowed as long as the server runs. */
struct http_route {
    enum http_method method; /* HEAD is answered where GET is */
    enum http_access access;
    const char *pattern; /* "/v1/tasks/{task}/why": a name in braces takes one segment, decoded */
    const char *query;   /* keys that may be given, separated by spaces; NULL: none */
    const char *body;    /* media types that are read, separated by spaces, "*": any; a body without
                            a type is read too. NULL: a body is refused */
    const char *help;    /* for people */
    http_handler *handle;
};

/* What is limited, all of it by default as below. */
struct http_limits {
    size_t max_body;          /* of one request */
    size_t max_body_total;    /* of all requests that are not answered yet */
    unsigned max_connections; /* further ones get 503 and are closed */
    int64_t header_ns;        /* from the connection, or from a later request's first line */
    int64_t body_ns;          /* from the end of the headers to that of the body */
    int64_t answer_ns;        /* from an answer to its last byte; of a stream: to the next one */
    int64_t idle_ns;          /* between two requests */
};

/* clang-format off */
#define HTTP_LIMITS_DEFAULT                                                                        \
    ((struct http_limits){.max_body = 64 << 20, .max_body_total = 256 << 20,                       \
                          .max_connections = 256, .header_ns = 10 * NS_PER_S,                      \
                          .body_ns = 60 * NS_PER_S, .answer_ns = 60 * NS_PER_S,                    \
                          .idle_ns = 60 * NS_PER_S})
/* clang-format on */

enum {
    HTTP_SEGMENTS_MOST = 8, /* of a path */
    HTTP_QUERY_MOST = 16,   /* keys of a request */
    /* Of a request's line and headers, about: one of 20,000 bytes is still answered in JSON. All of
     * it is zeroed for each request. */
    HTTP_HEADER_BYTES = 21 * 1024,
    HTTP_STREAM_BYTES = 256 * 1024,     /* of a stream that the client has not taken yet */
    HTTP_STREAM_MORE_BYTES = 16 * 1024, /* beyond that, see http_stream_insist */
    HTTP_FILES_LEFT = 64,               /* descriptors that max_connections must leave */
};

struct http_options {
    int listen_fd;                    /* listening, not blocking; stays the caller's */
    const char *token;                /* copied; NULL: nobody is asked for one */
    const char *const *allowed_hosts; /* names beside those of loopback, ended by NULL; borrowed */
    const struct http_route *routes;
    size_t routes_count;
    void *context; /* for the handlers */
    /* Called on the http thread when handlers were called and have returned: what is answered until
     * this returns is sent as if they had answered it themselves. Must not block. NULL: nobody
     * wants to know. */
    void (*called)(void *context);
    /* Called on the http thread when it has handled what was there to be handled and sent what was
     * answered at once, about as often as it waits; must not block. NULL: nobody wants to know. */
    void (*handled)(void *context);
    struct http_limits limits;
};

/* Starts serving. NULL with a message if the thread cannot be started, or if the limit of open
 * files is too low for max_connections. */
struct http *http_start(const struct http_options *options, struct error *error);

/* Begins the end: no new connections, idle ones are closed, streams end after what was written,
 * each answer closes its connection. Returns at once; any thread. */
void http_drain(struct http *http);

/* Drains, waits until all requests in hand are answered and sent, at most until deadline_ns of the
 * monotonic clock, closes what is left, ends the thread, clears the pointer; accepts NULL. Requests
 * that handlers still hold stay theirs and must be answered; that goes nowhere. */
void http_stop(struct http **http, int64_t deadline_ns);

/* Returns the word of a method, such as "GET". */
const char *http_method_name(enum http_method method);
