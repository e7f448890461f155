#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "serve/http/internal.h"

enum { STREAM_BLOCK_BYTES = 4096 }; /* what libmicrohttpd asks for at once, for old clients */

/* Three hold a share: who writes, the connection (or the request on its way to it), and the queue
 * while it stands there. */
struct http_stream {
    struct http_ready ready;
    struct http *http; /* held until http_stream_end */
    atomic_uint shares;
    struct http_connection *connection; /* http thread */
    /* guarded by lock */
    struct mutex lock;
    struct buffer text;
    size_t taken; /* of text, from its beginning */
    bool is_suspended, is_queued, is_ended, is_gone;
};

static void stream_release(struct http_stream *stream)
{
    if (atomic_fetch_sub(&stream->shares, 1) > 1)
        return;
    mutex_fini(&stream->lock);
    buffer_fini(&stream->text);
    free(stream);
}

/* Lets libmicrohttpd ask again if it was told to wait. http thread, lock held. */
static void stream_resume(struct http_stream *stream)
{
    if (!stream->is_suspended)
        return;
    stream->is_suspended = false;
    MHD_resume_connection(stream->connection->mhd);
}

static void stream_take(struct http_ready *ready)
{
    struct http_stream *stream = (struct http_stream *)ready;

    static_assert(offsetof(struct http_stream, ready) == 0, "a stream begins with it");
    mutex_lock(&stream->lock);
    stream->is_queued = false;
    stream_resume(stream);
    mutex_unlock(&stream->lock);
    stream_release(stream);
}

struct http_stream *http_stream_begin(struct http_request *request, const char *content_type)
{
    struct http_stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL)
        abort();
    stream->ready.take = stream_take;
    stream->http = request->http;
    stream->shares = 2;
    mutex_init(&stream->lock);
    server_hold(stream->http);
    request->stream = stream;
    http_answer(request, 200, content_type, NULL);
    return stream;
}

/* Takes a place in the queue if somebody waits for what has changed. Lock held. */
static bool wants_queue(struct http_stream *stream)
{
    if (!stream->is_suspended || stream->is_queued)
        return false;
    stream->is_queued = true;
    atomic_fetch_add(&stream->shares, 1);
    return true;
}

static void stream_push(struct http_stream *stream)
{
    if (!server_push(stream->http, &stream->ready))
        stream_release(stream);
}

/* Adds text if it makes no more than most bytes; sets *wakes if the http thread is to hear of it.
 */
static enum http_sent stream_add(struct http_stream *stream, const char *text, size_t length,
                                 size_t most, bool *wakes)
{
    MUTEX_GUARD(&stream->lock);

    if (stream->is_gone || stream->is_ended)
        return HTTP_GONE;
    if (length > most || stream->text.length - stream->taken > most - length)
        return HTTP_FULL;
    if (stream->taken > 0 && stream->text.length + length > stream->text.capacity) {
        stream->text.length -= stream->taken;
        memmove(stream->text.bytes, stream->text.bytes + stream->taken, stream->text.length);
        stream->taken = 0;
    }
    buffer_append(&stream->text, text, length);
    *wakes = wants_queue(stream);
    return HTTP_SENT;
}

static enum http_sent stream_write(struct http_stream *stream, const char *text, size_t length,
                                   size_t most)
{
    bool wakes = false;
    enum http_sent sent = stream_add(stream, text, length, most, &wakes);

    if (wakes)
        stream_push(stream);
    return sent;
}

enum http_sent http_stream_write(struct http_stream *stream, const char *text, size_t length)
{
    return stream_write(stream, text, length, HTTP_STREAM_BYTES);
}

enum http_sent http_stream_insist(struct http_stream *stream, const char *text, size_t length)
{
    return stream_write(stream, text, length, HTTP_STREAM_BYTES + HTTP_STREAM_MORE_BYTES);
}

void http_stream_end(struct http_stream **stream)
{
    if (*stream == NULL)
        return;
    struct http_stream *ended = *stream;
    struct http *http = ended->http;
    *stream = NULL;
    mutex_lock(&ended->lock);
    ended->is_ended = true;
    bool wakes = wants_queue(ended);
    mutex_unlock(&ended->lock);
    if (wakes)
        stream_push(ended);
    stream_release(ended);
    server_release(http);
}

/* libmicrohttpd asks for more. */
static ssize_t stream_read(void *cls, uint64_t position, char *to, size_t most)
{
    struct http_stream *stream = cls;
    struct http_connection *connection = stream->connection;
    MUTEX_GUARD(&stream->lock);

    (void)position;
    size_t length = stream->text.length - stream->taken;
    if (length == 0 && stream->is_ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (length == 0) {
        stream->is_suspended = true;
        connection_limit(connection, CLOCK_NEVER_NS);
        MHD_suspend_connection(connection->mhd);
        return 0;
    }
    length = length < most ? length : most;
    memcpy(to, stream->text.bytes + stream->taken, length);
    stream->taken += length;
    if (stream->taken == stream->text.length)
        stream->taken = stream->text.length = 0;
    connection_limit(connection, connection->http->options.limits.answer_ns);
    return (ssize_t)length;
}

struct MHD_Response *stream_response(struct http_connection *connection)
{
    connection->stream->connection = connection;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, stream_read,
                                             connection->stream, NULL);
}

void stream_close(struct http_stream *stream)
{
    MUTEX_GUARD(&stream->lock);

    stream->is_ended = true;
    stream_resume(stream);
}

void stream_leave(struct http_stream **stream)
{
    struct http_stream *left = *stream;

    *stream = NULL;
    mutex_lock(&left->lock);
    left->is_gone = true;
    left->is_suspended = false;
    mutex_unlock(&left->lock);
    stream_release(left);
}
