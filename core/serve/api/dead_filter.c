#include "serve/api/dead_filter.h"

#include <stdlib.h>
#include <string.h>

#include "serve/api/internal.h"
#include "support/clock.h"
#include "support/units.h"

/* As they were sent. */
struct words {
    const char *type, *label, *error, *since;
};

void dead_filter_fini(struct dead_filter *filter)
{
    free(filter->label);
}

/* False: answered. */
static bool read_since(struct http_request *request, const char *since, struct store_query *query)
{
    int64_t span_ns;

    if (since == NULL)
        return true;
    if (units_parse_duration(since, strlen(since), &span_ns)) {
        query->since_wall_ns = clock_wall_ns() - span_ns;
        return true;
    }
    if (units_parse_time(since, strlen(since), &query->since_wall_ns))
        return true;
    http_refuse(request, 400, "invalid_query",
                "since is '%s', allowed are a span such as 2h and a time such as "
                "2026-12-01T06:00:00Z",
                since);
    return false;
}

/* K=V is split into *label (malloc'ed), to which the query points. False: answered. */
static bool read_label(struct http_request *request, const char *pair, char **label,
                       struct store_query *query)
{
    if (pair == NULL)
        return true;
    *label = strdup(pair);
    if (*label == NULL)
        abort();
    char *equals = strchr(*label, '=');
    if (equals == NULL) {
        http_refuse(request, 400, "invalid_query", "label is '%s', allowed is KEY=VALUE", pair);
        return false;
    }
    *equals = '\0';
    query->label = *label;
    query->label_value = equals + 1;
    return true;
}

static bool read_words(struct dead_filter *filter, struct http_request *request,
                       const struct words *words)
{
    filter->query =
        (struct store_query){.states = STORE_DEAD_SET, .type = words->type, .reason = words->error};
    return read_since(request, words->since, &filter->query) &&
           read_label(request, words->label, &filter->label, &filter->query);
}

bool dead_filter_read_query(struct dead_filter *filter, struct http_request *request)
{
    const struct words words = {.type = http_query(request, "type"),
                                .label = http_query(request, "label"),
                                .error = http_query(request, "error"),
                                .since = http_query(request, "since")};

    return read_words(filter, request, &words);
}

static bool is_known(const char *key)
{
    static const char *const known[] = {"type", "label", "error", "since", "dry_run"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(key, known[i]) == 0)
            return true;
    return false;
}

/* False: answered. */
static bool check_keys(struct http_request *request, json_t *body)
{
    json_t *value;
    const char *key;

    json_object_foreach(body, key, value)
    {
        bool dry = strcmp(key, "dry_run") == 0;
        if (!is_known(key))
            return api_refuse_key(request, key, "type, label, error, since or dry_run");
        if (dry ? !json_is_boolean(value) : !json_is_string(value))
            return api_refuse_key(request, key, dry ? "true or false" : "a text");
    }
    return true;
}

static const char *text_of(json_t *body, const char *key)
{
    return json_string_value(json_object_get(body, key));
}

bool dead_filter_read_body(struct dead_filter *filter, struct http_request *request, json_t *body)
{
    const struct words words = {.type = text_of(body, "type"),
                                .label = text_of(body, "label"),
                                .error = text_of(body, "error"),
                                .since = text_of(body, "since")};

    filter->dry_run = json_is_true(json_object_get(body, "dry_run"));
    return check_keys(request, body) && read_words(filter, request, &words);
}
