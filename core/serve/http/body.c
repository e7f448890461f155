#include "serve/http/internal.h"

/* How much of a refused body is read before the client is cut off, so that one that was only a
 * little too long gets to read why. */
enum { BODY_DISCARDED_MOST_BYTES = 1 << 20 };

bool body_count(struct http_request *request, size_t length)
{
    const struct http_limits *limits = &request->http->options.limits;

    if (length > limits->max_body - request->body_counted) {
        http_refuse(request, 413, "too_large",
                    "the body is too large: [http] max_body is %zu bytes", limits->max_body);
        return false;
    }
    if (length > limits->max_body_total - request->http->body_total) {
        http_add_header(request, "Retry-After", "1");
        http_refuse(request, 503, "busy",
                    "too many bodies at once: [http] max_body_total is %zu bytes",
                    limits->max_body_total);
        return false;
    }
    request->body_counted += length;
    request->http->body_total += length;
    return true;
}

bool body_add(struct http_request *request, const char *data, size_t length)
{
    if (request->phase == REQUEST_BODY) {
        /* All of an announced length was counted at once. */
        size_t after = request->body.length + length;
        if (after <= request->body_counted || body_count(request, after - request->body_counted)) {
            buffer_append(&request->body, data, length);
            return true;
        }
        body_drop(request);
    }
    request->body_discarded += length;
    return request->body_discarded <= BODY_DISCARDED_MOST_BYTES;
}

void body_uncount(struct http_request *request)
{
    request->http->body_total -= request->body_counted;
    request->body_counted = 0;
}

void body_drop(struct http_request *request)
{
    body_uncount(request);
    buffer_fini(&request->body);
}
