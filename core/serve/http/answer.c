#include <stdlib.h>
#include <string.h>

#include "serve/http/internal.h"

static struct MHD_Response *make_response(struct http_request *request)
{
    struct http_connection *connection = request->connection;

    /* To HEAD libmicrohttpd 0.9.75 would send the end of the chunks that it leaves out. */
    if (request->stream != NULL && !request->is_head) {
        connection->stream = request->stream;
        request->stream = NULL;
        if (atomic_load(&request->http->phase) != HTTP_RUNNING)
            stream_close(connection->stream);
        return stream_response(connection);
    }
    return MHD_create_response_from_buffer(request->answer.length, request->answer.bytes,
                                           MHD_RESPMEM_PERSISTENT);
}

static void add_headers(struct MHD_Response *response, const struct http_request *request)
{
    const char *at = request->headers.bytes;
    const char *end = at + request->headers.length;

    if (request->content_type != NULL)
        MHD_add_response_header(response, "Content-Type", request->content_type);
    if (atomic_load(&request->http->phase) != HTTP_RUNNING)
        MHD_add_response_header(response, "Connection", "close");
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        MHD_add_response_header(response, at, value);
        at = value + strlen(value) + 1;
    }
}

enum MHD_Result answer_send(struct http_request *request)
{
    struct http_connection *connection = request->connection;
    struct MHD_Response *response = make_response(request);

    if (response == NULL)
        return MHD_NO;
    add_headers(response, request);
    connection_limit(connection, request->http->options.limits.answer_ns);
    enum MHD_Result result = MHD_queue_response(connection->mhd, request->status, response);
    MHD_destroy_response(response);
    return result;
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
