#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "serve/http/internal.h"

/* The answers of a connection are often alike: then the last one is sent again, with what differs
 * put in. Else libmicrohttpd would allocate and free a dozen pieces of memory for each. */

void answer_forget(struct http_answer *answer)
{
    if (answer->mhd != NULL)
        MHD_destroy_response(answer->mhd);
    answer->mhd = NULL;
    buffer_fini(&answer->headers);
}

/* Whether the body is where the last one was, and as long: it is not the same. */
static bool is_alike(const struct http_answer *last, const struct http_request *request)
{
    return last->mhd != NULL && last->bytes == request->answer.bytes &&
           last->length == request->answer.length && last->content_type == request->content_type;
}

/* Calls for each pair of headers. */
static void each_header(const struct buffer *headers, struct MHD_Response *response,
                        enum MHD_Result (*call)(struct MHD_Response *, const char *, const char *))
{
    const char *at = headers->bytes;
    const char *end = at + headers->length;

    while (at < end) {
        const char *value = at + strlen(at) + 1;
        call(response, at, value);
        at = value + strlen(value) + 1;
    }
}

/* Libmicrohttpd has no call that changes a header, and to take one out and put another in costs as
 * much as the rest of the answer. So its copy of a value is overwritten by one as long: nobody
 * reads it between two answers. */
static void overwrite_value(struct MHD_Response *response, const char *name, const char *value,
                            size_t length)
{
    const char *old = MHD_get_response_header(response, name);
    assert(old != NULL);
    memcpy((char *)(uintptr_t)old, value, length);
}

/* Each header that differs in its value, but not in length, becomes that of the request. False: one
 * is another, or longer; what stands before it is done. */
static bool overwrite_headers(struct http_answer *answer, const struct http_request *request)
{
    char *old = answer->headers.bytes;
    const char *new = request->headers.bytes, *end = new + request->headers.length;

    if (answer->headers.length != request->headers.length)
        return false;
    while (new < end) {
        const char *name = new;
        size_t name_bytes = strlen(name) + 1, length = strlen(name + name_bytes);
        if (strcmp(old, name) != 0 || strlen(old + name_bytes) != length)
            return false;
        old += name_bytes;
        new += name_bytes;
        if (memcmp(old, new, length) != 0)
            overwrite_value(answer->mhd, name, new, length);
        memcpy(old, new, length);
        old += length + 1;
        new += length + 1;
    }
    return true;
}

/* The headers of the answer become those of the request. */
static void change_headers(struct http_answer *answer, const struct http_request *request)
{
    const struct http *http = request->http;

    if (answer->date_s != http->date_s)
        overwrite_value(answer->mhd, "Date", http->date, strlen(http->date));
    answer->date_s = http->date_s;
    if (overwrite_headers(answer, request))
        return;
    each_header(&answer->headers, answer->mhd, MHD_del_response_header);
    each_header(&request->headers, answer->mhd, MHD_add_response_header);
    answer->headers.length = 0;
    buffer_append(&answer->headers, request->headers.bytes, request->headers.length);
}

static bool make_answer(struct http_answer *answer, const struct http_request *request)
{
    answer_forget(answer);
    answer->mhd = MHD_create_response_from_buffer(request->answer.length, request->answer.bytes,
                                                  MHD_RESPMEM_PERSISTENT);
    if (answer->mhd == NULL)
        return false;
    answer->bytes = request->answer.bytes;
    answer->length = request->answer.length;
    answer->content_type = request->content_type;
    /* First what is looked for most often. */
    each_header(&request->headers, answer->mhd, MHD_add_response_header);
    buffer_append(&answer->headers, request->headers.bytes, request->headers.length);
    answer->date_s = request->http->date_s;
    /* Libmicrohttpd would work it out anew for each answer. */
    MHD_add_response_header(answer->mhd, "Date", request->http->date);
    if (request->content_type != NULL)
        MHD_add_response_header(answer->mhd, "Content-Type", request->content_type);
    return true;
}

/* Libmicrohttpd 0.9.75, when it is told of the connection, forgets that it was told the date, and
 * says it once more. */
static void add_close(struct http_answer *answer, const struct http *http)
{
    MHD_del_response_header(answer->mhd, "Date", http->date);
    MHD_add_response_header(answer->mhd, "Connection", "close");
}

static enum MHD_Result send_text(struct http_request *request)
{
    struct http_answer *answer = &request->connection->answer;
    bool is_last = atomic_load(&request->http->phase) != HTTP_RUNNING;

    if (is_alike(answer, request))
        change_headers(answer, request);
    else if (!make_answer(answer, request))
        return MHD_NO;
    if (is_last)
        add_close(answer, request->http);
    enum MHD_Result result =
        MHD_queue_response(request->connection->mhd, request->status, answer->mhd);
    if (is_last)
        answer_forget(answer);
    return result;
}

static enum MHD_Result send_stream(struct http_request *request)
{
    struct http_connection *connection = request->connection;

    connection->stream = request->stream;
    request->stream = NULL;
    if (atomic_load(&request->http->phase) != HTTP_RUNNING)
        stream_close(connection->stream);
    struct MHD_Response *response = stream_response(connection);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", request->content_type);
    each_header(&request->headers, response, MHD_add_response_header);
    if (atomic_load(&request->http->phase) != HTTP_RUNNING)
        MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(connection->mhd, request->status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result answer_send(struct http_request *request)
{
    connection_limit(request->connection, request->http->options.limits.answer_ns);
    /* To HEAD libmicrohttpd 0.9.75 would send the end of the chunks that it leaves out. */
    return request->stream != NULL && !request->is_head ? send_stream(request) : send_text(request);
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
    buffer_append(&request->headers, name, strlen(name) + 1);
    buffer_append(&request->headers, value, strlen(value) + 1);
}

struct buffer *http_text(struct http_request *request)
{
    return &request->answer;
}

void http_answer(struct http_request *request, unsigned status, const char *content_type,
                 struct buffer *body)
{
    request->status = status;
    request->content_type = content_type;
    if (body != NULL) {
        buffer_fini(&request->answer);
        request->answer = *body;
        *body = BUFFER_EMPTY;
    }
    request_answered(request);
}
