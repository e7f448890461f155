#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "serve/http/internal.h"

/* Whose http thread this is: what is answered on it needs no queue. */
static _Thread_local struct http *here;

enum { TEXT_USUAL_BYTES = 128, KEPT_MOST_BYTES = 1024 };

void request_free(struct http_request *request)
{
    if (request->stream != NULL)
        stream_leave(&request->stream);
    buffer_fini(&request->body);
    buffer_fini(&request->answer);
    buffer_fini(&request->headers);
    free(request);
}

/* The answer has come. */
static void request_take(struct http_ready *ready)
{
    struct http_request *request = (struct http_request *)ready;

    static_assert(offsetof(struct http_request, ready) == 0, "a request begins with it");
    if (request->connection == NULL) {
        request_free(request);
        return;
    }
    request->phase = REQUEST_ANSWERED;
    request_resume(request);
}

void request_resume(struct http_request *request)
{
    if (request->is_suspended)
        MHD_resume_connection(request->connection->mhd);
    request->is_suspended = false;
}

void request_thread_is(struct http *http)
{
    here = http;
}

/* Makes a request for a line of so many bytes, from the memory of the one before if it fits: all
 * that are answered in one round are more than the allocator has at hand. */
static struct http_request *request_make(struct http_connection *connection, size_t text_bytes)
{
    struct http_request *request = connection->spare;
    struct buffer body = BUFFER_EMPTY, answer = BUFFER_EMPTY, headers = BUFFER_EMPTY;

    connection->spare = NULL;
    if (request != NULL) {
        body = request->body;
        answer = request->answer;
        headers = request->headers;
    }
    if (request == NULL || request->text_bytes < text_bytes) {
        text_bytes = text_bytes > TEXT_USUAL_BYTES ? text_bytes : TEXT_USUAL_BYTES;
        free(request);
        request = malloc(sizeof(*request) + text_bytes);
        if (request == NULL)
            abort();
        request->text_bytes = text_bytes;
    }
    *request = (struct http_request){.ready.take = request_take,
                                     .http = connection->http,
                                     .connection = connection,
                                     .body = body,
                                     .answer = answer,
                                     .headers = headers,
                                     .text_bytes = request->text_bytes};
    return request;
}

static void keep_buffer(struct buffer *buffer)
{
    buffer->length = 0;
    if (buffer->capacity > KEPT_MOST_BYTES)
        buffer_fini(buffer);
}

/* Leaves the memory to the connection's next one. */
static void request_keep(struct http_connection *connection, struct http_request *request)
{
    if (request->text_bytes > KEPT_MOST_BYTES || request->stream != NULL) {
        request_free(request);
        return;
    }
    keep_buffer(&request->body);
    keep_buffer(&request->answer);
    keep_buffer(&request->headers);
    connection->spare = request;
}

void *request_on_line(void *cls, const char *line, struct MHD_Connection *mhd)
{
    struct http *http = cls;
    struct http_connection *connection = connection_of(mhd);
    size_t length = line != NULL ? strlen(line) : 0;

    if (connection == NULL)
        return NULL;
    struct http_request *request = request_make(connection, length + 1);
    memcpy(request->text, line != NULL ? line : "", length);
    request->text[length] = '\0';
    connection->request = request;
    if (connection->is_used)
        connection_limit(connection, http->options.limits.header_ns);
    connection->is_used = true;
    return request;
}

void request_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_RequestTerminationCode code)
{
    struct http *http = cls;
    struct http_connection *connection = connection_of(mhd);

    (void)code;
    *context = NULL;
    if (connection == NULL)
        return;
    struct http_request *request = connection->request;
    if (connection->stream != NULL)
        stream_leave(&connection->stream);
    if (request == NULL)
        return;
    http->requests_count -= request->is_counted;
    if (request->phase == REQUEST_HANDLING) { /* its client left before it was suspended */
        request_give_up(request);
        return;
    }
    body_uncount(request);
    connection->request = NULL;
    request_keep(connection, request);
    connection_limit(connection, http->options.limits.idle_ns);
}

void request_give_up(struct http_request *request)
{
    request->http->body_total -= request->body_counted;
    request->body_counted = 0;
    request->connection->request = NULL;
    request->connection = NULL;
}

void request_answered(struct http_request *request)
{
    struct http *http = request->http;

    if (here == http && request->phase != REQUEST_HANDLING) { /* it is refused before */
        request->phase = REQUEST_ANSWERED;
        return;
    }
    if (here == http)
        request_take(&request->ready);
    else if (!server_push(http, &request->ready))
        request_free(request);
    server_release(http);
}

/* The headers are complete. */
static void request_begin(struct http_request *request, const char *method)
{
    request->is_counted = true;
    request->http->requests_count++;
    if (uri_parse(request))
        gate_check(request, method);
    if (request->phase == REQUEST_ANSWERED)
        return;
    request->phase = REQUEST_BODY;
    connection_limit(request->connection,
                     request->has_body ? request->http->options.limits.body_ns : CLOCK_NEVER_NS);
}

/* All of it is there. If the handler has not answered when it returns, another thread may be doing
 * so right now: nothing but what is the http thread's may be looked at then. */
static void request_handle(struct http_request *request)
{
    connection_limit(request->connection, CLOCK_NEVER_NS);
    if (request->body.length > 0)
        buffer_text(&request->body);
    request->phase = REQUEST_HANDLING;
    server_hold(request->http);
    request->http->handled_count++;
    request->route->handle(request->http->options.context, request);
}

/* libmicrohttpd asks again in its next round for an answer that was not there when all of the
 * request was. So the answers of a round are sent one behind the other, and who waits for them is
 * woken once, not for each of them: a wake-up costs as much as all the rest. What is not answered
 * until then waits for another thread. */
static enum MHD_Result request_finish(struct http_request *request)
{
    if (request->phase == REQUEST_ANSWERED)
        return answer_send(request);
    if (request->phase == REQUEST_BODY) {
        request_handle(request);
    } else if (!request->is_suspended) {
        request->is_suspended = true;
        MHD_suspend_connection(request->connection->mhd);
    }
    return MHD_YES;
}

static enum MHD_Result request_advance(struct http_request *request, const char *method,
                                       const char *data, size_t *length)
{
    if (request->phase == REQUEST_HEAD) {
        request_begin(request, method);
        /* An answer at this point closes the connection, which only an unread body is worth. */
        if (request->phase != REQUEST_ANSWERED || !request->has_body)
            return MHD_YES;
        return answer_send(request);
    }
    if (*length > 0) {
        bool goes_on = body_add(request, data, *length);
        *length = 0;
        return goes_on ? MHD_YES : MHD_NO;
    }
    return request_finish(request);
}

enum MHD_Result request_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *length, void **context)
{
    (void)cls;
    (void)mhd;
    (void)url;
    (void)version;
    return *context != NULL ? request_advance(*context, method, data, length) : MHD_NO;
}

const struct http_route *http_route(const struct http_request *request)
{
    return request->route;
}

const char *http_path(const struct http_request *request, const char *name)
{
    size_t length = strlen(name);
    const char *at = request->route->pattern;

    for (size_t i = 0; i < request->segments_count; i++) {
        at++;
        if (at[0] == '{' && strncmp(at + 1, name, length) == 0 && at[1 + length] == '}')
            return request->segments[i];
        at += strcspn(at, "/");
    }
    assert(false && "the route's pattern has no such name");
    return NULL;
}

const char *http_query(const struct http_request *request, const char *key)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].key, key) == 0)
            return request->query[i].value;
    return NULL;
}

const char *http_body(const struct http_request *request, size_t *length)
{
    *length = request->body.length;
    return request->body.length > 0 ? request->body.bytes : "";
}
