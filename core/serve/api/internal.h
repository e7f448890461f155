/* internal: what the files of the API share. Included by nobody else. */
#pragma once

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "accept/job.h"
#include "accept/submission.h"
#include "serve/api.h"
#include "serve/http_request.h"
#include "serve/http_stream.h"
#include "serve/idempotency.h"
#include "stages.h"
#include "store/store.h"

struct clerk;
struct event_hub;
struct follow;

enum { API_PAGE = 100, API_PAGE_MOST = 1000 };

struct api {
    /* immutable */
    struct host *host;
    const struct config *config; /* main thread, but for what only a restart changes */
    struct registry *registry;
    struct idempotency *idempotency;
    struct event_hub *hub;
    struct follow *follow;
    struct clerk *clerk; /* NULL: the store is in memory */
    int64_t started_ns, started_wall_ns;
    char node[65]; /* HOST_NAME_MAX + 1 */
    /* atomic */
    _Atomic bool ready, stopping;
    /* the http thread */
    struct gathering gathering; /* single tasks that were sent and are about to enter */
    /* the main thread */
    int64_t beat_ns; /* when those who listen were last shown that somebody is there */
    /* atomic */
    _Atomic int64_t
        asked_ns; /* since when the control loop has been asked for a sign of life; 0: not */
};

/* The handlers of routes.def. */
#define ROUTE(method, access, where, path, query, body, handler, help) http_handler handler;
#include "serve/routes.def"
#undef ROUTE

/* ---- query.c: what a request names ---- */

/* Returns how many items are asked for; 0: the request was answered, as it was wrong. */
uint32_t api_limit(struct http_request *request);

/* A task as a request names it. */
struct api_name {
    char job[JOB_ID_BYTES];
    const char *task; /* within the request */
};

/* Reads JOB:ID from the path; false: the request was answered. */
bool api_task_name(struct http_request *request, struct api_name *name);

/* Reads the id of a job from the path, and finds its key in the store; false: answered. */
bool api_job_key(struct api *api, struct http_request *request, uint64_t *key);

/* Visits the task of a name in the store; false if there is none, or the store failed. */
bool api_visit_task(struct api *api, const struct api_name *name, store_visit_task *visit,
                    void *context);

/* A task that is in the host, and its job, which is held until api_let_go. */
struct api_live {
    struct job *job;
    struct task *task;
};

/* Finds it, also if it is tried again by itself; false if there is none such (any more). */
bool api_find_live(struct api *api, const struct api_name *name, struct api_live *live);

/* Ends api_find_live. */
void api_let_go(const struct api_live *live);

/* Answers 404 for a task. */
void api_no_task(struct http_request *request);

/* Answers 500 with what the store said. */
void api_store_failed(struct http_request *request, const struct error *error);

/* Returns the body as a JSON object, or NULL: the request was answered. */
json_t *api_body_object(struct http_request *request);

/* Answers 422, naming a key of the body and what is allowed; false. */
bool api_refuse_key(struct http_request *request, const char *key, const char *allowed);

/* Makes a call on the main thread, with a copy of bytes that begin with a struct loop_call and that
 * its run frees; if the loop runs no more, the request is answered. */
void api_on_main(struct api *api, struct http_request *request, const void *call, size_t bytes);

/* ---- live.c: where an unfinished task is just now ---- */

/* Returns the word of the state of a task JOB:ID that is not over; NULL: the host does not have
 * it. */
const char *api_live_state(struct api *api, const char *name);
