/* What is sent to be run: a job file, an envelope of one with what it needs, a single task. The
 * request waits in a struct sent until the host has answered. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/api/envelope.h"
#include "serve/api/internal.h"
#include "support/cleanup.h"

struct sent {
    struct submission submission;
    struct api *api;
    struct http_request *request;
    struct envelope envelope;
    char *key;          /* of the request; NULL: it has none */
    struct buffer note; /* of it, for a daemon that comes later */
};

static void sent_free(struct sent *sent)
{
    submission_fini(&sent->submission);
    envelope_fini(&sent->envelope);
    free(sent->key);
    buffer_fini(&sent->note);
    free(sent);
}

/* ---- the answer ---- */

static json_t *jobs_json(const struct submission *submission)
{
    json_t *jobs = json_array();

    for (size_t i = 0; i < submission->jobs_count; i++)
        json_array_append_new(jobs, json_pack("{ss ss sI}", "id", submission->jobs[i]->id, "name",
                                              submission->jobs[i]->name, "tasks",
                                              (json_int_t)submission->jobs[i]->tasks_count));
    return json_pack("{so}", "jobs", jobs);
}

/* Of the first job, or the task, that an answer names. */
static void add_location(struct http_request *request, const json_t *answer)
{
    const json_t *task = json_object_get(answer, "task");
    const json_t *job = json_array_get(json_object_get(answer, "jobs"), 0);
    char path[STORE_HOLDER_BYTES + 16];

    if (task != NULL)
        snprintf(path, sizeof(path), "/v1/tasks/%s", json_string_value(task));
    else
        snprintf(path, sizeof(path), "/v1/jobs/%s", json_string_value(json_object_get(job, "id")));
    http_add_header(request, "Location", path);
}

static void answer_accepted(struct http_request *request, json_t *answer)
{
    add_location(request, answer);
    http_answer_json(request, 202, answer);
}

static void keep_answer(const struct sent *sent, const char *text)
{
    if (sent->key != NULL)
        idempotency_keep(sent->api->idempotency, sent->key, text);
}

static void accept_jobs(const struct sent *sent)
{
    json_t *json = jobs_json(&sent->submission);
    CLEANUP(cleanup_free) char *text = json_dumps(json, JSON_COMPACT);

    keep_answer(sent, text);
    answer_accepted(sent->request, json);
}

/* Puts a text and its NUL at an address, and returns that of the NUL. */
static char *put(char *to, const char *text)
{
    size_t length = strlen(text);

    memcpy(to, text, length + 1);
    return to + length;
}

#define ANSWER_TASK "{\"task\":\""
#define ANSWER_JOB  "\",\"job\":\""
#define ANSWER_END  "\"}\n"
#define ANSWER      ANSWER_TASK ANSWER_JOB ANSWER_END

/* Written by hand: as a json_t it costs as much as to read the task. JOB:ID of the task needs no
 * escapes anywhere. */
static void accept_task(const struct sent *sent)
{
    const struct job *job = sent->submission.jobs[0];
    struct buffer *text = http_text(sent->request);
    char path[STORE_HOLDER_BYTES + 16];
    char *name = put(path, "/v1/tasks/");

    char *end = put(put(put(name, job->id), ":"), job_task(job, 0)->id);
    char *to = buffer_reserve(text, (size_t)(end - name) + sizeof(job->id) + sizeof(ANSWER));
    end = put(put(put(put(put(to, ANSWER_TASK), name), ANSWER_JOB), job->id), ANSWER_END);
    text->length += (size_t)(end - to);
    keep_answer(sent, buffer_text(text));
    http_add_header(sent->request, "Location", path);
    http_answer(sent->request, 202, "application/json", NULL);
}

static void accept(const struct sent *sent)
{
    if (sent->submission.root == JOB_FILE_JOBS)
        accept_jobs(sent);
    else
        accept_task(sent);
}

static void refuse_full(const struct sent *sent, const char *code, const char *message)
{
    http_add_header(sent->request, "Retry-After", "1");
    http_answer_error(sent->request, 429, code, message, NULL);
}

static void refuse_invalid(const struct sent *sent)
{
    const struct diagnostics *diagnostics = &sent->submission.diagnostics;
    CLEANUP(cleanup_free) char *errors = diagnostics_json(diagnostics);
    char message[128];

    snprintf(message, sizeof(message), "%zu error%s in what was sent; nothing of it runs",
             diagnostics->found_count, diagnostics->found_count == 1 ? "" : "s");
    http_answer_error(sent->request, 422, "invalid_job", message, json_loads(errors, 0, NULL));
}

static void refuse(const struct sent *sent)
{
    const char *refusal = sent->submission.refusal;

    switch (sent->submission.answer) {
    case SUBMISSION_INVALID:
        refuse_invalid(sent);
        return;
    case SUBMISSION_TOO_MANY:
        http_answer_error(sent->request, 422, "too_many_tasks", refusal, NULL);
        return;
    case SUBMISSION_PENDING_FULL:
        refuse_full(sent, "pending_full", "as many tasks wait or run as max_pending allows");
        return;
    case SUBMISSION_QUEUE_FULL:
        refuse_full(sent, "queue_full", refusal);
        return;
    case SUBMISSION_INBOUND_FULL:
        refuse_full(sent, "inbound_full", "the inbound queue is full just now");
        return;
    case SUBMISSION_NOT_STORED:
        http_answer_error(sent->request, 503, "store_failed", refusal, NULL);
        return;
    case SUBMISSION_STOPPING:
    case SUBMISSION_ADMITTED:
    case SUBMISSION_ANSWER_COUNT:
        break;
    }
    http_answer_error(sent->request, 503, "stopping", "the daemon stops", NULL);
}

static void answered(void *context, struct submission *submission)
{
    struct sent *sent = context;

    if (submission->answer == SUBMISSION_ADMITTED) {
        accept(sent);
    } else {
        if (sent->key != NULL)
            idempotency_forget(sent->api->idempotency, sent->key);
        refuse(sent);
    }
    sent_free(sent);
}

/* ---- the request ---- */

/* A key is one of its route: a job and a task have different answers. */
static char *key_of(enum job_file_root root, const char *given)
{
    struct buffer key = BUFFER_EMPTY;

    buffer_printf(&key, "%s %s", root == JOB_FILE_TASK ? "task" : "job", given);
    return key.bytes;
}

/* False: the request was answered. */
static bool begin_key(struct api *api, struct http_request *request, enum job_file_root root,
                      char **key)
{
    CLEANUP(buffer_fini) struct buffer known = BUFFER_EMPTY;
    const char *given = http_header(request, "Idempotency-Key");
    size_t length;
    const char *body = http_body(request, &length);

    if (given == NULL)
        return true;
    if (!idempotency_key_is_valid(given)) {
        http_refuse(request, 400, "invalid_header",
                    "Idempotency-Key has to be of 1 to %d printable ASCII letters",
                    IDEMPOTENCY_KEY_MOST_BYTES);
        return false;
    }
    CLEANUP(cleanup_free) char *mine = key_of(root, given);
    switch (idempotency_begin(api->idempotency, mine, body, length, &known)) {
    case IDEMPOTENCY_NEW:
        *key = mine;
        mine = NULL;
        return true;
    case IDEMPOTENCY_BUSY:
        http_refuse(request, 409, "in_progress", "a request with this key is not answered yet");
        return false;
    case IDEMPOTENCY_OTHER:
        http_refuse(request, 422, "idempotency_conflict",
                    "another body was sent with this Idempotency-Key");
        return false;
    case IDEMPOTENCY_KNOWN:
        answer_accepted(request, json_loads(buffer_text(&known), 0, NULL));
        return false;
    }
    return false;
}

static bool is_envelope(const struct http_request *request)
{
    static const char type[] = "application/vnd.sluice.submission+json";
    const char *given = http_header(request, "Content-Type");

    return given != NULL && strncasecmp(given, type, sizeof(type) - 1) == 0;
}

/* Reader thread. */
static bool open_envelope(void *context, struct submission *submission)
{
    struct sent *sent = context;

    return envelope_read(&sent->envelope, submission);
}

static void submit(struct api *api, struct http_request *request, enum job_file_root root)
{
    const char *file = http_query(request, "file");
    size_t length;
    const char *body = http_body(request, &length);
    char *key = NULL;

    if (atomic_load(&api->stopping)) {
        http_refuse(request, 503, "stopping", "the daemon stops");
        return;
    }
    if (!begin_key(api, request, root, &key))
        return;
    struct sent *sent = malloc(sizeof(*sent));
    if (sent == NULL)
        abort();
    sent->api = api;
    sent->request = request;
    sent->envelope = (struct envelope){0};
    sent->key = key;
    sent->note = BUFFER_EMPTY;
    if (key != NULL)
        idempotency_note(api->idempotency, key, &sent->note);
    submission_init(&sent->submission, root, body, length);
    sent->submission.file = file != NULL && file[0] != '\0' ? file : "body";
    sent->submission.note = key != NULL ? buffer_text(&sent->note) : NULL;
    sent->submission.gathering = &api->gathering;
    sent->submission.context = sent;
    sent->submission.prepare = is_envelope(request) ? open_envelope : NULL;
    sent->submission.answered = answered;
    host_submit(api->host, &sent->submission);
}

void api_job_submit(void *context, struct http_request *request)
{
    submit(context, request, JOB_FILE_JOBS);
}

void api_task_submit(void *context, struct http_request *request)
{
    submit(context, request, JOB_FILE_TASK);
}

void api_called(void *context)
{
    struct api *api = context;

    host_admit(api->host, &api->gathering);
}

void api_handled(void *context)
{
    struct api *api = context;

    host_enter(api->host, &api->gathering);
}
