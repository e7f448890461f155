#include "cli/dead_filter.h"

#include <string.h>

#include "cli/daemon.h"
#include "cli/options.h"
#include "support/units.h"

enum { OPTION_TYPE = 3000, OPTION_LABEL, OPTION_ERROR, OPTION_SINCE };

static const struct argp_option table[] = {
    {.name = "type", .key = OPTION_TYPE, .arg = "TYPE", .doc = "of this task type"},
    {.name = "label", .key = OPTION_LABEL, .arg = "KEY=VALUE", .doc = "with this label"},
    {.name = "error",
     .key = OPTION_ERROR,
     .arg = "REASON",
     .doc = "for this reason, such as timeout"},
    {.name = "since",
     .key = OPTION_SINCE,
     .arg = "DURATION|TIME",
     .doc = "that ended in the last 2h, or from 2026-12-01T06:00:00Z on"},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct dead_filter *filter = state->input;
    int64_t ns;

    switch (key) {
    case OPTION_TYPE:
        filter->type = argument;
        return 0;
    case OPTION_LABEL:
        if (strchr(argument, '=') == NULL)
            argp_error(state, "--label: '%s' is not KEY=VALUE", argument);
        filter->label = argument;
        return 0;
    case OPTION_ERROR:
        filter->error = argument;
        return 0;
    case OPTION_SINCE:
        if (!units_parse_duration(argument, strlen(argument), &ns) &&
            !units_parse_time(argument, strlen(argument), &ns))
            argp_error(state,
                       "--since: '%s' is neither a duration such as 2h nor a time such as "
                       "2026-12-01T06:00:00Z",
                       argument);
        filter->since = argument;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {.options = table, .parser = parse};
const struct argp_child dead_filter_children[3] = {
    {.argp = &argp, .header = "Which ones:"},
    {.argp = &options_argp, .header = OPTIONS_HEADER, .group = 1},
    {0},
};

/* All four by the names that the API has for them. */
static const char *value_of(const struct dead_filter *filter, size_t i, const char **name)
{
    static const char *const names[] = {"type", "label", "error", "since"};
    const char *const values[] = {filter->type, filter->label, filter->error, filter->since};

    *name = names[i];
    return values[i];
}
enum { VALUES_COUNT = 4 };

void dead_filter_put_query(const struct dead_filter *filter, struct buffer *query)
{
    const char *name;

    for (size_t i = 0; i < VALUES_COUNT; i++) {
        const char *value = value_of(filter, i, &name);
        if (value == NULL)
            continue;
        buffer_printf(query, "%s%s=", query->length > 0 ? "&" : "", name);
        daemon_put_encoded(query, value);
    }
}

json_t *dead_filter_json(const struct dead_filter *filter)
{
    json_t *json = json_object();
    const char *name;

    for (size_t i = 0; i < VALUES_COUNT; i++) {
        const char *value = value_of(filter, i, &name);
        if (value != NULL && json_object_set_new(json, name, json_string(value)) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}
