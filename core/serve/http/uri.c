/* A path and a query, strictly: cut first, decoded then, so that a slash or an ampersand that was
 * escaped is a part of a name. */
#include <string.h>

#include "serve/http/internal.h"
#include "support/utf8.h"

static bool refuse(struct http_request *request, const char *what)
{
    http_refuse(request, 400, "bad_request", "%s", what);
    return false;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place; NULL, or what is wrong. */
static const char *decode(char *text, char space)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++, to++) {
        *to = *from == space ? ' ' : *from;
        if (*from != '%')
            continue;
        int high = digit(from[1]);
        int low = high < 0 ? -1 : digit(from[2]);
        if (low < 0)
            return "a '%' in the address is not followed by two hexadecimal digits";
        *to = (char)(high << 4 | low);
        if (*to == '\0')
            return "the address holds a NUL (%00)";
        from += 2;
    }
    *to = '\0';
    return utf8_is_valid(text, (size_t)(to - text)) ? NULL : "the address is not UTF-8";
}

/* Only what is printed needs no escape; a fragment is not for servers. */
static bool is_printed(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text >= 0x7f || *text == '#')
            return false;
    return true;
}

static bool parse_path(struct http_request *request, char *path)
{
    char *rest = path + 1;

    if (path[0] != '/')
        return refuse(request, "the address is to begin with '/'");
    while (rest != NULL) {
        char *segment = strsep(&rest, "/");
        /* Deeper than every pattern: cut short, it would match one. */
        if (request->segments_count == HTTP_SEGMENTS_MOST)
            return refuse(request, "the address has too many parts");
        const char *wrong = decode(segment, '\0');
        if (wrong != NULL)
            return refuse(request, wrong);
        request->segments[request->segments_count++] = segment;
    }
    return true;
}

static bool parse_pair(struct http_request *request, char *text)
{
    char *value = strchr(text, '=');

    if (text[0] == '\0')
        return true;
    if (value != NULL)
        *value++ = '\0';
    const char *wrong = decode(text, '+');
    if (wrong == NULL && value != NULL)
        wrong = decode(value, '+');
    if (wrong != NULL)
        return refuse(request, wrong);
    if (request->query_count == HTTP_QUERY_MOST)
        return refuse(request, "the query has too many keys");
    request->query[request->query_count++] =
        (struct http_pair){.key = text, .value = value != NULL ? value : ""};
    return true;
}

bool uri_parse(struct http_request *request)
{
    if (!is_printed(request->text))
        return refuse(request, "the address holds a character that is to be written as %XX");
    char *query = strchr(request->text, '?');
    if (query != NULL)
        *query++ = '\0';
    if (!parse_path(request, request->text))
        return false;
    while (query != NULL)
        if (!parse_pair(request, strsep(&query, "&")))
            return false;
    return true;
}
