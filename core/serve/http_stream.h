/* http_stream: an answer without an end, such as server-sent events or a log that is followed.
 * Made of a request by its handler; whoever began it ends it. One thread at a time, any thread.
 * Nothing here blocks: what the client has not taken yet is kept, up to a limit. A
 * client that hangs up is noticed when something is written. */
#pragma once

#include <stddef.h>

#include "serve/http_request.h"

struct http_stream;

enum http_sent {
    HTTP_SENT, /* it will be sent, unless the client leaves before */
    HTTP_FULL, /* none of it was taken: the client is too slow just now */
    HTTP_GONE, /* the client has left, or the server ends: the stream is to be ended */
};

/* Answers 200 with the headers; the request must not be touched any more. content_type is in static
 * memory. */
struct http_stream *http_stream_begin(struct http_request *request, const char *content_type);

/* Adds text, which is copied. */
enum http_sent http_stream_write(struct http_stream *stream, const char *text, size_t length);

/* The same with what is to arrive although the client is slow: for a little of that there is always
 * room, HTTP_STREAM_MORE_BYTES. */
enum http_sent http_stream_insist(struct http_stream *stream, const char *text, size_t length);

/* Ends the answer after what was written; clears the pointer, accepts NULL. */
void http_stream_end(struct http_stream **stream);
