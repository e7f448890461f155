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

/* Finds the method of a word, -1 if no route has it. */
static int method_find(const char *word)
{
    for (size_t i = 0; i < sizeof(method_names) / sizeof(*method_names); i++)
        if (strcmp(method_names[i], word) == 0)
            return (int)i;
    return strcmp(word, "HEAD") == 0 ? HTTP_GET : -1;
}

/* One segment of a pattern, which is moved behind it, against one of the path. */
static bool segment_fits(const char **pattern, const char *segment)
{
    const char *at = *pattern;

    if (at[0] == '{') {
        *pattern += strcspn(at, "/");
        return segment[0] != '\0';
    }
    for (; *at != '\0' && *at != '/' && *at == *segment; at++)
        segment++;
    *pattern = at;
    return (*at == '\0' || *at == '/') && *segment == '\0';
}

static bool path_fits(const char *pattern, const struct http_request *request)
{
    for (size_t i = 0; i < request->segments_count; i++) {
        if (*pattern++ != '/' || !segment_fits(&pattern, request->segments[i]))
            return false;
    }
    return pattern[0] == '\0';
}

const struct http_route *route_find(const struct http_request *request, const char *method)
{
    const struct http_options *options = &request->http->options;
    int wanted = method_find(method);

    for (size_t i = 0; i < options->routes_count; i++)
        if ((int)options->routes[i].method == wanted &&
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
        const char *end = strchrnul(list, ' ');
        if ((size_t)(end - list) == length && strncasecmp(list, word, length) == 0)
            return true;
        list = end[0] == '\0' ? end : end + 1;
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
