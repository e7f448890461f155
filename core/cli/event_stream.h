/* event_stream: server-sent events (html.spec.whatwg.org, "Server-sent events"), of which pieces
 * come as the network cuts them. Embedded by its owner, zero-initialised; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "support/buffer.h"

enum { EVENT_STREAM_EVENT_MOST_BYTES = 64 * 1024 * 1024, EVENT_STREAM_NAME_BYTES = 32 };

struct event_stream {
    struct buffer line, data;
    char name[EVENT_STREAM_NAME_BYTES];
    /* Takes a whole event; false: enough. */
    bool (*take)(void *context, const char *name, const char *data);
    void *context;
};

/* Takes the next piece; false if take said so, or an event is too large. */
bool event_stream_feed(struct event_stream *stream, const char *bytes, size_t length);

/* Forgets what was begun, as for a new connection, and frees it. Fits CLEANUP. */
void event_stream_reset(struct event_stream *stream);
