/* http_request: one request in the hands of a handler, from the call of http_handler until it is
 * answered or becomes a stream; after that it must not be touched. One thread at a time, any
 * thread unless said. Nothing here blocks. If the client is gone the answer goes nowhere; the
 * handler needs not know. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "serve/http.h"
#include "support/buffer.h"

/* Returns the route that the request came by. */
const struct http_route *http_route(const struct http_request *request);

/* Returns the path's segment that stands for {name}, decoded: valid UTF-8, not empty, maybe with
 * slashes. The route must have it. Valid as long as the request. */
const char *http_path(const struct http_request *request, const char *name);

/* Returns the value of a key of the query, decoded: valid UTF-8, maybe empty; NULL if it was not
 * given. Valid as long as the request. */
const char *http_query(const struct http_request *request, const char *key);

/* Returns the (first) value of a header, as it came; NULL if there is none. What the server looks
 * at itself, and Idempotency-Key, has come once at most. Only inside the handler's call, on the
 * http thread; valid until that returns. */
const char *http_header(const struct http_request *request, const char *name);

/* Returns the body, ended by a NUL that is not counted, and its length; empty if there was none.
 * Valid as long as the request. */
const char *http_body(const struct http_request *request, size_t *length);

/* Adds a header to the answer, each name once; copied. Before it is answered; name and value must
 * be fit for it. */
void http_add_header(struct http_request *request, const char *name, const char *value);

/* Returns the text of the answer, which is empty as yet: what is put there is sent by http_answer
 * without a body. */
struct buffer *http_text(struct http_request *request);

/* Answers with *body, which is taken over and left empty; NULL: with what http_text has, or
 * nothing. content_type is in static
 * memory; NULL: none is sent. */
void http_answer(struct http_request *request, unsigned status, const char *content_type,
                 struct buffer *body);

/* Answers with the value in one line; takes it over. */
void http_answer_json(struct http_request *request, unsigned status, json_t *value);

/* Answers {"error":{"code","message","details"}}; takes details over, which are left out for
 * NULL. */
void http_answer_error(struct http_request *request, unsigned status, const char *code,
                       const char *message, json_t *details);

/* The same without details, and with a formatted message. */
void http_refuse(struct http_request *request, unsigned status, const char *code,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
