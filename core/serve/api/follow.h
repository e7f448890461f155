/* follow: streams of the logs of tasks, sent on as they grow. Looked after by the control loop with
 * each beat of its heart. Created by the API. */
#pragma once

#include "serve/http_stream.h"

struct api;
struct api_name;
struct follow;

/* Creates one that nobody follows. */
struct follow *follow_create(struct api *api);

/* Ends all streams and frees it; clears the pointer; accepts NULL. */
void follow_destroy(struct follow **follow);

/* Takes over a stream for the log of a task, and sends what there is. Any thread. */
void follow_add(struct follow *follow, const struct api_name *name, struct http_stream *stream);

/* Sends on what was added, and ends what is complete. Main thread. */
void follow_tick(struct follow *follow);

/* Ends all streams; who comes later is sent away. Any thread. */
void follow_close(struct follow *follow);
