#include "serve/event_hub.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/thread.h"

struct listener {
    struct listener *next;
    struct http_stream *stream;
    char *job; /* NULL: all */
    uint64_t dropped;
};

struct event_hub {
    atomic_size_t count;
    struct mutex lock;
    /* guarded by lock */
    struct listener *listeners;
    bool closed;
};

struct event_hub *event_hub_create(void)
{
    struct event_hub *hub = calloc(1, sizeof(*hub));

    if (hub == NULL)
        abort();
    mutex_init(&hub->lock);
    return hub;
}

static void listener_free(struct listener *listener)
{
    http_stream_end(&listener->stream);
    free(listener->job);
    free(listener);
}

void event_hub_close(struct event_hub *hub)
{
    mutex_lock(&hub->lock);
    struct listener *listener = hub->listeners, *next;
    hub->listeners = NULL;
    hub->closed = true;
    atomic_store(&hub->count, 0);
    mutex_unlock(&hub->lock);
    for (; listener != NULL; listener = next) {
        next = listener->next;
        listener_free(listener);
    }
}

void event_hub_destroy(struct event_hub **hub)
{
    if (*hub == NULL)
        return;
    event_hub_close(*hub);
    mutex_fini(&(*hub)->lock);
    free(*hub);
    *hub = NULL;
}

void event_hub_add(struct event_hub *hub, struct http_stream *stream, const char *job)
{
    struct listener *listener = calloc(1, sizeof(*listener));

    if (listener == NULL)
        abort();
    listener->stream = stream;
    listener->job = job != NULL ? strdup(job) : NULL;
    mutex_lock(&hub->lock);
    bool open = !hub->closed;
    if (open) {
        listener->next = hub->listeners;
        hub->listeners = listener;
        atomic_fetch_add(&hub->count, 1);
    }
    mutex_unlock(&hub->lock);
    if (!open)
        listener_free(listener);
}

static bool is_heard(const struct event_hub *hub)
{
    return atomic_load_explicit(&hub->count, memory_order_relaxed) > 0;
}

static bool wants(const struct listener *listener, const char *job)
{
    return job == NULL || listener->job == NULL || strcmp(listener->job, job) == 0;
}

bool event_hub_wanted(struct event_hub *hub, const char *job)
{
    if (!is_heard(hub))
        return false;
    MUTEX_GUARD(&hub->lock);
    const struct listener *listener = hub->listeners;
    while (listener != NULL && !wants(listener, job))
        listener = listener->next;
    return listener != NULL;
}

typedef enum http_sent writing(struct http_stream *stream, const char *text, size_t length);

/* Tells a listener what it has missed, if there is room for that now. */
static enum http_sent catch_up(struct listener *listener, writing *write)
{
    char text[96];

    if (listener->dropped == 0)
        return HTTP_SENT;
    int length = snprintf(text, sizeof(text), "event: dropped\ndata: {\"events\":%" PRIu64 "}\n\n",
                          listener->dropped);
    enum http_sent sent = write(listener->stream, text, (size_t)length);
    if (sent == HTTP_SENT)
        listener->dropped = 0;
    return sent;
}

static enum http_sent send_one(struct listener *listener, const struct buffer *text, writing *write)
{
    enum http_sent sent = catch_up(listener, write);

    if (sent == HTTP_SENT)
        sent = write(listener->stream, text->bytes, text->length);
    listener->dropped += sent == HTTP_FULL;
    return sent;
}

/* Writing is a copy into the stream's memory, so it may be done under the lock. */
static void send_all(struct event_hub *hub, const char *job, const struct buffer *text,
                     writing *write)
{
    struct listener *gone = NULL;

    mutex_lock(&hub->lock);
    for (struct listener **at = &hub->listeners, *one; (one = *at) != NULL;) {
        if (!wants(one, job) || send_one(one, text, write) != HTTP_GONE) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        one->next = gone;
        gone = one;
        atomic_fetch_sub(&hub->count, 1);
    }
    mutex_unlock(&hub->lock);
    for (struct listener *next; gone != NULL; gone = next) {
        next = gone->next;
        listener_free(gone);
    }
}

static void send_event(struct event_hub *hub, const char *job, const char *event, const char *line,
                       writing *write)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;

    if (!is_heard(hub))
        return;
    buffer_printf(&text, "event: %s\ndata: %s\n\n", event, line);
    send_all(hub, job, &text, write);
}

void event_hub_send(struct event_hub *hub, const char *job, const char *event, const char *line)
{
    send_event(hub, job, event, line, http_stream_write);
}

void event_hub_insist(struct event_hub *hub, const char *job, const char *event, const char *line)
{
    send_event(hub, job, event, line, http_stream_insist);
}

void event_hub_beat(struct event_hub *hub)
{
    static const char comment[] = ":\n\n";
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;

    if (!is_heard(hub))
        return;
    buffer_puts(&text, comment);
    send_all(hub, NULL, &text, http_stream_write);
}
