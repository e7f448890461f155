#include <string.h>
#include <strings.h>

#include "serve/http/internal.h"

static const char *const method_names[] = {
    [HTTP_GET] = "GET",     [HTTP_POST] = "POST",     [HTTP_PUT] = "PUT",
    [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
};

const char *http_method_name(enum http_method method)
{
    return method_names[method];
}

static bool method_fits(enum http_method method, const char *word)
{
    return strcmp(method_names[method], word) == 0 ||
           (method == HTTP_GET && strcmp(word, "HEAD") == 0);
}

/* One segment of a pattern against one of the path. */
static bool segment_fits(const char *pattern, size_t length, const char *segment)
{
    if (pattern[0] == '{')
        return segment[0] != '\0';
    return strncmp(pattern, segment, length) == 0 && segment[length] == '\0';
}

static bool path_fits(const char *pattern, const struct http_request *request)
{
    for (size_t i = 0; i < request->segments_count; i++) {
        if (pattern[0] != '/')
            return false;
        pattern++;
        size_t length = strcspn(pattern, "/");
        if (!segment_fits(pattern, length, request->segments[i]))
            return false;
        pattern += length;
    }
    return pattern[0] == '\0';
}

const struct http_route *route_find(const struct http_request *request, const char *method)
{
    const struct http_options *options = &request->http->options;

    for (size_t i = 0; i < options->routes_count; i++)
        if (method_fits(options->routes[i].method, method) &&
            path_fits(options->routes[i].pattern, request))
            return &options->routes[i];
    return NULL;
}

void route_refuse(struct http_request *request, const char *method)
{
    const struct http_options *options = &request->http->options;
    CLEANUP(buffer_fini) struct buffer allowed = BUFFER_EMPTY;

    for (size_t i = 0; i < options->routes_count; i++)
        if (path_fits(options->routes[i].pattern, request)) {
            enum http_method can = options->routes[i].method;
            buffer_printf(&allowed, "%s%s", allowed.length > 0 ? ", " : "",
                          can == HTTP_GET ? "GET, HEAD" : method_names[can]);
        }
    if (allowed.length == 0) {
        http_refuse(request, 404, "no_route", "no such address: GET /v1 lists those that are");
        return;
    }
    http_add_header(request, "Allow", buffer_text(&allowed));
    http_refuse(request, 405, "method_not_allowed", "%.32s is not allowed here; allowed: %s",
                method, buffer_text(&allowed));
}

bool route_list_has(const char *list, const char *word, size_t length)
{
    while (list[0] != '\0') {
        size_t item = strcspn(list, " ");
        if (item == length && strncasecmp(list, word, length) == 0)
            return true;
        list += item;
        list += strspn(list, " ");
    }
    return false;
}

static bool is_repeated(const struct http_request *request, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(request->query[i].key, request->query[index].key) == 0)
            return true;
    return false;
}

bool route_check_query(struct http_request *request)
{
    const char *known = request->route->query != NULL ? request->route->query : "";

    for (size_t i = 0; i < request->query_count; i++) {
        const char *key = request->query[i].key;
        if (!route_list_has(known, key, strlen(key))) {
            http_refuse(request, 400, "unknown_key", "unknown key '%.100s' in the query; %s%s", key,
                        known[0] != '\0' ? "allowed: " : "none is allowed", known);
            return false;
        }
        if (is_repeated(request, i)) {
            http_refuse(request, 400, "repeated_key", "key '%.100s' is given twice", key);
            return false;
        }
    }
    return true;
}
