/* event_hub: who listens to what ends, over HTTP: each line goes to every stream that wants it. A
 * reader that is too slow loses lines, and is told how many. Created by the API; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "serve/http_stream.h"

struct event_hub;

/* Creates one that nobody listens to. */
struct event_hub *event_hub_create(void);

/* Ends all streams and frees it: nothing is sent any more. Clears the pointer; accepts NULL. */
void event_hub_destroy(struct event_hub **hub);

/* Takes a stream over; job: only what is of the job with this id (copied); NULL: everything. */
void event_hub_add(struct event_hub *hub, struct http_stream *stream, const char *job);

/* Returns whether anybody listens to what a job does: a line costs more to make than to send. */
bool event_hub_wanted(struct event_hub *hub, const char *job);

/* Sends an event: its name, and one line of JSON without newline; job: whose it is. */
void event_hub_send(struct event_hub *hub, const char *job, const char *event, const char *line);

/* The same with one that is to arrive although its reader is slow: the end of a job may be the last
 * that a daemon says of it. */
void event_hub_insist(struct event_hub *hub, const char *job, const char *event, const char *line);

/* Sends everyone a comment, so that a connection that is gone is noticed. */
void event_hub_beat(struct event_hub *hub);

/* Ends all streams; who comes later is sent away at once. */
void event_hub_close(struct event_hub *hub);
