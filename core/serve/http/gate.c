/* Everything that can be said of a request before its body is read, in the order in which it may
 * be said: a stranger learns nothing of which addresses there are. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "serve/http/internal.h"

#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct {
    const char *text;
    size_t length; /* by which nearly all others are told apart */
} seen_names[SEEN_COUNT] = {
    [SEEN_HOST] = NAME("Host"),
    [SEEN_ORIGIN] = NAME("Origin"),
    [SEEN_AUTHORIZATION] = NAME("Authorization"),
    [SEEN_LENGTH] = NAME("Content-Length"),
    [SEEN_TRANSFER] = NAME("Transfer-Encoding"),
    [SEEN_TYPE] = NAME("Content-Type"),
    [SEEN_ENCODING] = NAME("Content-Encoding"),
    [SEEN_KEY] = NAME("Idempotency-Key"),
};

struct head {
    const char **values;
    bool is_repeated, is_broken;
};

/* "Content-Length : 5" would be another header to us than to a proxy in front. */
static bool is_name(const char *key, size_t length)
{
    bool has_space = length == 0;

    for (size_t i = 0; i < length; i++)
        has_space |= key[i] == ' ' || key[i] == '\t';
    return !has_space;
}

/* SEEN_COUNT: it is not looked at. */
static enum http_seen seen_find(const char *key, size_t length)
{
    enum http_seen i = 0;

    while (i < SEEN_COUNT &&
           (seen_names[i].length != length || strncasecmp(key, seen_names[i].text, length) != 0))
        i++;
    return i;
}

static enum MHD_Result head_add(void *cls, enum MHD_ValueKind kind, const char *key,
                                size_t key_length, const char *value, size_t value_length)
{
    struct head *head = cls;
    enum http_seen seen = seen_find(key, key_length);

    (void)kind;
    (void)value_length;
    head->is_broken |= !is_name(key, key_length);
    if (seen < SEEN_COUNT) {
        head->is_repeated |= head->values[seen] != NULL;
        head->values[seen] = value != NULL ? value : "";
    }
    return MHD_YES;
}

static bool check_framing(struct http_request *request, const struct head *head)
{
    const char *transfer = head->values[SEEN_TRANSFER];

    if (head->is_broken)
        http_refuse(request, 400, "bad_request", "a header's name holds a space");
    else if (head->is_repeated)
        http_refuse(request, 400, "bad_request", "a header that may come once came twice");
    else if (transfer != NULL && head->values[SEEN_LENGTH] != NULL)
        http_refuse(request, 400, "bad_request",
                    "Content-Length and Transfer-Encoding exclude each other");
    else if (transfer != NULL && strcasecmp(transfer, "chunked") != 0)
        http_refuse(request, 501, "bad_request", "Transfer-Encoding '%.50s'; allowed: chunked",
                    transfer);
    return request->phase != REQUEST_ANSWERED;
}

/* The length of a host without its port, or 0 if it is none. */
static size_t host_length(const char *host)
{
    size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (length > strlen(host))
        return 0;
    const char *port = host + length;
    if (port[0] == '\0')
        return length;
    return port[0] == ':' && port[1 + strspn(port + 1, "0123456789")] == '\0' ? length : 0;
}

static bool is_listed(const struct http *http, const char *host, size_t length)
{
    const char *const *allowed = http->options.allowed_hosts;

    for (; allowed != NULL && *allowed != NULL; allowed++)
        if (strlen(*allowed) == length && strncasecmp(*allowed, host, length) == 0)
            return true;
    return false;
}

static bool check_host(struct http_request *request, const char *host)
{
    if (!request->http->checks_host)
        return true;
    if (host == NULL) {
        http_refuse(request, 400, "bad_request", "the Host header is missing");
        return false;
    }
    size_t length = host_length(host);
    if (route_list_has("localhost 127.0.0.1 [::1]", host, length) ||
        is_listed(request->http, host, length))
        return true;
    http_refuse(request, 403, "host_not_allowed",
                "Host '%.100s' is not one of this machine's nor in [http] allowed_hosts", host);
    return false;
}

/* Browsers send it with what a page asks for. Another server of this machine is no friend, so names
 * of loopback count only if they are listed. */
static bool check_origin(struct http_request *request, const char *origin)
{
    if (origin == NULL)
        return true;
    const char *host = strstr(origin, "://");
    if (host != NULL && is_listed(request->http, host + 3, host_length(host + 3)))
        return true;
    http_refuse(request, 403, "origin_not_allowed",
                "Origin '%.100s' is not in [http] allowed_hosts", origin);
    return false;
}

/* Takes as long for a wrong token as for the right one. */
static bool is_token(const char *token, const char *given)
{
    size_t length = strlen(token), given_length = strlen(given);
    volatile unsigned char differs = length != given_length;

    for (size_t i = 0; i < length; i++)
        differs |= (unsigned char)(token[i] ^ given[given_length > 0 ? i % given_length : 0]);
    return differs == 0;
}

static bool check_token(struct http_request *request, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    size_t length = sizeof(scheme) - 1;

    if (request->http->token == NULL ||
        (request->route != NULL && request->route->access == HTTP_OPEN))
        return true;
    if (authorization != NULL && strncasecmp(authorization, scheme, length) == 0) {
        const char *given = authorization + length;
        if (is_token(request->http->token, given + strspn(given, " ")))
            return true;
    }
    http_add_header(request, "WWW-Authenticate", "Bearer realm=\"sluice\"");
    http_refuse(request, 401, "unauthorized",
                "%s: send `Authorization: Bearer` with the token of "
                "[http] token_file",
                authorization != NULL ? "a wrong token" : "no token");
    return false;
}

static bool check_type(struct http_request *request, const struct head *head)
{
    const char *type = head->values[SEEN_TYPE];
    const char *encoding = head->values[SEEN_ENCODING];
    const char *allowed = request->route->body;

    if (encoding != NULL && strcasecmp(encoding, "identity") != 0) {
        http_refuse(request, 415, "unsupported_encoding",
                    "Content-Encoding '%.50s'; allowed: identity", encoding);
        return false;
    }
    if (type == NULL || strcmp(allowed, "*") == 0)
        return true;
    size_t length = strcspn(type, ";");
    while (length > 0 && isspace((unsigned char)type[length - 1]))
        length--;
    if (route_list_has(allowed, type, length))
        return true;
    http_refuse(request, 415, "unsupported_type", "Content-Type '%.*s'; allowed: %s",
                (int)(length < 100 ? length : 100), type, allowed);
    return false;
}

/* libmicrohttpd has refused what is no number before. */
static size_t announced(const char *length)
{
    size_t number = 0;
    for (; *length >= '0' && *length <= '9'; length++)
        if (__builtin_mul_overflow(number, (size_t)10, &number) ||
            __builtin_add_overflow(number, (size_t)(*length - '0'), &number))
            return SIZE_MAX;
    return number;
}

static void check_body(struct http_request *request, const struct head *head, size_t length)
{
    if (!request->has_body)
        return;
    if (request->route->body == NULL)
        http_refuse(request, 400, "body_not_allowed", "no body is allowed here");
    else if (check_type(request, head) && length > 0 && body_count(request, length))
        buffer_reserve(&request->body, length + 1);
}

/* Those that are looked at are at hand; a handler seldom asks for another one. */
const char *http_header(const struct http_request *request, const char *name)
{
    enum http_seen seen = seen_find(name, strlen(name));
    return seen < SEEN_COUNT
               ? request->head[seen]
               : MHD_lookup_connection_value(request->connection->mhd, MHD_HEADER_KIND, name);
}

void gate_check(struct http_request *request, const char *method)
{
    struct head head = {.values = request->head};

    request->is_head = strcmp(method, "HEAD") == 0;
    MHD_get_connection_values_n(request->connection->mhd, MHD_HEADER_KIND, head_add, &head);
    size_t length = head.values[SEEN_LENGTH] != NULL ? announced(head.values[SEEN_LENGTH]) : 0;
    request->has_body = length > 0 || head.values[SEEN_TRANSFER] != NULL;
    if (!check_framing(request, &head) || !check_host(request, head.values[SEEN_HOST]) ||
        !check_origin(request, head.values[SEEN_ORIGIN]))
        return;
    request->route = route_find(request, method);
    if (!check_token(request, head.values[SEEN_AUTHORIZATION]))
        return;
    if (request->route == NULL)
        route_refuse(request, method);
    else if (route_check_query(request))
        check_body(request, &head, length);
}
