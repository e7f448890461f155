/* request_body: libFuzzer sends each input to the daemon's API, past the HTTP server: its first line
 * is one of the words below and what is to be the query, or a header's value; all behind it is the
 * body. The host is a fake one. Beyond crashes it looks for a request that is not answered exactly
 * once, an answer that is not JSON, an error without code, message or the places of what is wrong,
 * and something of this process in an answer. Started by run.sh. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/internal.h"
#include "serve/json_text.h"
#include "support/cleanup.h"
#include "support/utf8.h"

enum { QUERY_MOST = 4 };

/* What no answer may hold, but for those to requests that hold it. */
static const char secret[] = "hunter2-5f1c";

struct http_request {
    const char *name; /* of what the path names; NULL: nothing */
    const char *keys[QUERY_MOST], *values[QUERY_MOST];
    size_t query_count;
    const char *type, *key;   /* headers; NULL: not there */
    struct buffer sent, body; /* all that was sent; what nobody has taken of it */
    struct buffer answer;
    unsigned status, answers;
};

/* A word, the handler, and what the rest of the line is. */
struct target {
    const char *word;
    http_handler *handle;
    const char *rest; /* a key of the query, "Idempotency-Key", or a name in the path */
    const char *type; /* of the body */
};

static const struct target targets[] = {
    {"jobs", api_job_submit, "file", NULL},
    {"jobs-again", api_job_submit, "Idempotency-Key", "application/json; charset=utf-8"},
    {"envelope", api_job_submit, "file", "application/vnd.sluice.submission+json"},
    {"task", api_task_submit, "file", "text/yaml"},
    {"group", api_group_change, "group", "application/json"},
    {"scheduler", api_scheduler_set, NULL, "application/json"},
    {"dead", api_dead_list, "label", NULL},
    {"dead-after", api_dead_list, "after", NULL},
    {"dead-since", api_dead_list, "since", NULL},
    {"dead-limit", api_dead_list, "limit", NULL},
    {"retry", api_dead_retry, NULL, "application/json"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void expect(bool right, const char *sentence, const struct http_request *request)
{
    if (right)
        return;
    fprintf(stderr, "request_body: not so: %s: %u %.*s\n", sentence, request->status,
            (int)request->answer.length, request->answer.bytes);
    abort();
}

/* ---- in place of the HTTP server: http_request.h ---- */

const char *http_path(const struct http_request *request, const char *name)
{
    (void)name;
    return request->name;
}

const char *http_query(const struct http_request *request, const char *key)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (strcmp(request->keys[i], key) == 0)
            return request->values[i];
    return NULL;
}

const char *http_header(const struct http_request *request, const char *name)
{
    return strcmp(name, "Content-Type") == 0 ? request->type : request->key;
}

const char *http_body(const struct http_request *request, size_t *length)
{
    *length = request->body.length;
    return request->body.bytes != NULL ? request->body.bytes : "";
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
    expect(name[0] != '\0' && strpbrk(value, "\r\n") == NULL, "a header is one line", request);
}

struct buffer *http_text(struct http_request *request)
{
    return &request->answer;
}

void http_answer(struct http_request *request, unsigned status, const char *type,
                 struct buffer *body)
{
    (void)type;
    request->status = status;
    request->answers++;
    if (body == NULL)
        return;
    buffer_append(&request->answer, body->bytes, body->length);
    buffer_fini(body);
}

/* ---- what is sent ---- */

/* The rest of the line, NUL-ended: as uri.c would have it, which is fuzzed by nobody's hand here. */
static bool fill(struct http_request *request, const struct target *target, const char *rest)
{
    size_t length = strlen(rest);

    request->type = target->type;
    request->name = "a";
    if (target->rest == NULL || length == 0)
        return true;
    if (!utf8_is_valid(rest, length))
        return false;
    if (strcmp(target->rest, "Idempotency-Key") == 0) {
        request->key = rest;
    } else if (strcmp(target->rest, "group") == 0) {
        request->name = rest;
    } else {
        request->keys[0] = target->rest;
        request->values[0] = rest;
        request->query_count = 1;
    }
    return true;
}

static const struct target *find_target(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
        if (strlen(targets[i].word) == length && memcmp(targets[i].word, word, length) == 0)
            return &targets[i];
    return NULL;
}

/* ---- what is expected ---- */

static void expect_places(const struct http_request *request, json_t *details)
{
    size_t i;
    json_t *one;

    expect(json_array_size(details) > 0, "what is wrong is said", request);
    json_array_foreach(details, i, one)
    {
        const char *message = json_string_value(json_object_get(one, "message"));
        expect(message != NULL && message[0] != '\0', "an error says something", request);
        expect(json_is_string(json_object_get(one, "code")), "an error has a code", request);
        expect(json_is_integer(json_object_get(one, "line")), "an error has a line", request);
    }
}

static void expect_error(const struct http_request *request, json_t *json)
{
    json_t *error = json_object_get(json, "error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));

    expect(code != NULL && code[0] != '\0', "an error has a code", request);
    expect(message != NULL && message[0] != '\0', "an error says something", request);
    if (strcmp(code, "invalid_job") == 0)
        expect_places(request, json_object_get(error, "details"));
}

static void expect_sense(const struct http_request *request, bool asked_for_secret)
{
    expect(request->answers == 1, "a request is answered once", request);
    expect(request->status < 500 || request->status == 503, "nothing fails", request);
    expect(asked_for_secret || request->answer.length == 0 ||
               memmem(request->answer.bytes, request->answer.length, secret, sizeof(secret) - 1) ==
                   NULL,
           "nothing of this process is told", request);
    json_t *json = json_loadb(request->answer.bytes, request->answer.length, 0, NULL);
    expect(json_is_object(json), "an answer is an object", request);
    if (request->status >= 400)
        expect_error(request, json);
    json_decref(json);
}

static struct api *the_api(void)
{
    static struct api api;

    if (api.idempotency != NULL)
        return &api;
    setenv("SECRET", secret, 1);
    api.idempotency = idempotency_create();
    gathering_init(&api.gathering);
    return &api;
}

/* As the HTTP thread does. */
static void call(struct api *api, struct http_request *request, const struct target *target)
{
    target->handle(api, request);
    api_called(api);
    api_handled(api);
}

/* Sends the same again, or with one letter more. */
static void send_again(struct api *api, const struct http_request *first,
                       const struct target *target, const char *more)
{
    struct http_request again = {.type = first->type, .key = first->key};

    buffer_append(&again.body, first->sent.bytes, first->sent.length);
    buffer_puts(&again.body, more);
    call(api, &again, target);
    if (more[0] == '\0')
        expect(strcmp(buffer_text(&again.answer), first->answer.bytes) == 0,
               "the same key gives the same answer", first);
    else
        expect(again.status == 422, "another body with the same key is refused", &again);
    buffer_fini(&again.body);
    buffer_fini(&again.answer);
}

/* Keys are forgotten, so that an input is the same each time. */
static void handle(struct http_request *request, const struct target *target)
{
    struct api *api = the_api();

    call(api, request, target);
    buffer_text(&request->answer);
    if (request->key == NULL)
        return;
    if (request->status == 202) {
        send_again(api, request, target, "");
        send_again(api, request, target, " ");
    }
    idempotency_destroy(&api->idempotency);
    api->idempotency = idempotency_create();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    const char *text = (const char *)data, *newline = memchr(text, '\n', length);
    CLEANUP(buffer_fini) struct buffer line = BUFFER_EMPTY;
    struct http_request request = {.body = BUFFER_EMPTY, .answer = BUFFER_EMPTY};

    if (newline == NULL)
        return -1;
    buffer_append(&line, text, (size_t)(newline - text));
    const char *rest = buffer_text(&line);
    size_t word = strcspn(rest, " ");
    const struct target *target = find_target(rest, word);
    rest += word + (rest[word] == ' ');
    if (target == NULL || !fill(&request, target, rest))
        return -1;
    buffer_append(&request.sent, newline + 1, length - (size_t)(newline + 1 - text));
    buffer_append(&request.body, buffer_text(&request.sent), request.sent.length);
    buffer_text(&request.body);
    handle(&request, target);
    expect_sense(&request, memmem(data, length, secret, 4) != NULL);
    buffer_fini(&request.sent);
    buffer_fini(&request.body);
    buffer_fini(&request.answer);
    return 0;
}
