/* Answers that are JSON, errors among them: by http_answer alone, whoever has it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "serve/http_request.h"
#include "serve/json_text.h"
#include "support/buffer.h"
#include "support/error.h"

static int add_json(const char *text, size_t length, void *context)
{
    buffer_append(context, text, length);
    return 0;
}

void http_answer_json(struct http_request *request, unsigned status, json_t *value)
{
    struct buffer *text = http_text(request);

    json_dump_callback(value, add_json, text, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    buffer_puts(text, "\n");
    http_answer(request, status, "application/json", NULL);
}

void http_answer_error(struct http_request *request, unsigned status, const char *code,
                       const char *message, json_t *details)
{
    json_t *error =
        json_pack("{s:s, s:o}", "code", code, "message", json_text(message, strlen(message)));
    if (details != NULL)
        json_object_set_new(error, "details", details);
    http_answer_json(request, status, json_pack("{s:o}", "error", error));
}

void http_refuse(struct http_request *request, unsigned status, const char *code,
                 const char *format, ...)
{
    char message[ERROR_MESSAGE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    http_answer_error(request, status, code, message, NULL);
}
