/* api: what the daemon answers over HTTP: one table of routes (routes.def), one file in api/ for
 * each thing that it tells of. Created by the daemon when its host is. Handlers run on the http
 * thread and never wait; those that ask a store in a file, which may, on the clerk's. */
#pragma once

#include <stddef.h>

#include "config.h"
#include "host.h"
#include "plugin/registry.h"
#include "serve/http.h"

struct api;

/* Makes it; host, configuration and registry are borrowed until api_destroy. */
struct api *api_create(struct host *host, const struct config *config, struct registry *registry);

/* Starts the thread that it needs to ask a store in a file; false with a message. Before the server
 * is started. */
bool api_start(struct api *api, struct error *error);

/* Answers what that thread still has to, and joins it. Once the server has stopped, before the host
 * does. */
void api_join(struct api *api);

/* Takes up what an earlier daemon has answered, once the host is open and before there are
 * requests. False with a message. Main thread; waits while the store reads. */
bool api_restore(struct api *api, struct error *error);

/* Frees it, once the server and the host have stopped; clears the pointer; accepts NULL. */
void api_destroy(struct api **api);

/* Returns the routes, with the api as their context. */
const struct http_route *api_routes(size_t *count);

/* Answers for the tasks that were sent since the last call. The http thread, once handlers were
 * called; context is the api. */
void api_called(void *context);

/* Has those run that were admitted. The http thread, once it has handled what was there; context is
 * the api. */
void api_handled(void *context);

/* Tells those who listen to events of a task that has ended, or an attempt of it. Any thread. */
void api_task_ended(struct api *api, const struct outcome_record *record);

/* Tells them that a job is over. Any thread. */
void api_job_over(struct api *api, const struct job *job);

/* Says that everything runs: /readyz answers 200 from here on. */
void api_ready(struct api *api);

/* Says that the daemon stops: submissions are refused from here on. Any thread. */
void api_stops(struct api *api);

/* Says that all has ended: streams end. Main thread. */
void api_ends(struct api *api);

/* Looks after those who listen; about once a second. Main thread. */
void api_tick(struct api *api, int64_t now_ns);
