/* param_pack: from a scalar as a job file has it to a field of a packed record. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "plugin/param_table.h"
#include "support/cleanup.h"
#include "support/suggest.h"
#include "support/units.h"

enum { FOUND_SHOWN_BYTES = 40 };

const char *param_kind_wants(enum sluice_kind kind)
{
    switch (kind) {
    case SLUICE_KIND_BOOL:
        return "true or false";
    case SLUICE_KIND_INT:
        return "an int";
    case SLUICE_KIND_FLOAT:
        return "a number";
    case SLUICE_KIND_STRING:
        return "a string";
    case SLUICE_KIND_DURATION:
        return "a duration such as 250ms, 30s or 1h30m";
    case SLUICE_KIND_SIZE:
        return "a size such as 512, 64KiB or 10MB";
    case SLUICE_KIND_ENUM:
        return "one of its choices";
    case SLUICE_KIND_LIST:
        return "a list";
    case SLUICE_KIND_MAP:
        return "a map";
    case SLUICE_KIND_ANY:
        return "JSON";
    }
    return "nothing";
}

/* What was found, quoted and cut; never a secret. */
struct found {
    char text[FOUND_SHOWN_BYTES + 8];
};

static struct found found_show(const struct param *param, struct params_text scalar)
{
    struct found found;
    int shown = scalar.length > FOUND_SHOWN_BYTES ? FOUND_SHOWN_BYTES : (int)scalar.length;
    while (shown > 0 && shown < (int)scalar.length && (scalar.bytes[shown] & 0xc0) == 0x80)
        shown--; /* not inside a character */
    if (param->secret)
        snprintf(found.text, sizeof found.text, "a secret");
    else
        snprintf(found.text, sizeof found.text, "'%.*s'%s", shown, scalar.bytes,
                 shown < (int)scalar.length ? "..." : "");
    return found;
}

static enum param_answer refuse_kind(const struct param *param, struct params_text scalar,
                                     struct error *error)
{
    struct found found = found_show(param, scalar);
    error_set(error, "wrong_type", "parameter '%s' wants %s, found %s", param->name,
              param_kind_wants(param->kind), found.text);
    return PARAM_WRONG_TYPE;
}

static enum param_answer refuse_range(const struct param *param, struct params_text scalar,
                                      struct error *error)
{
    struct found found = found_show(param, scalar);
    char low[PARAM_RANGE_BYTES], high[PARAM_RANGE_BYTES];
    param_range_show(param, low, high);
    error_set(error, "out_of_range", "parameter '%s' is %s, allowed is %s to %s", param->name,
              found.text, low, high);
    return PARAM_OUT_OF_RANGE;
}

static enum param_answer refuse_choice(const struct param *param, struct params_text scalar,
                                       struct error *error, const char **hint)
{
    struct found found = found_show(param, scalar);
    struct suggest suggest;
    struct buffer allowed CLEANUP(buffer_fini) = BUFFER_EMPTY;
    suggest_begin(&suggest, scalar.bytes, scalar.length);
    for (size_t i = 0; param->choices[i] != NULL; i++) {
        suggest_offer(&suggest, param->choices[i]);
        buffer_printf(&allowed, "%s%s", i == 0 ? "" : ", ", param->choices[i]);
    }
    error_set(error, "unknown_choice", "parameter '%s' is %s, allowed: %s", param->name, found.text,
              buffer_text(&allowed));
    *hint = suggest.best;
    return PARAM_UNKNOWN_CHOICE;
}

bool param_admits_items(const struct param *param, size_t count, struct error *error)
{
    return count >= param->min_items ||
           error_set(error, "out_of_range", "parameter '%s' has %zu item%s, allowed is %u or more",
                     param->name, count, count == 1 ? "" : "s", param->min_items);
}

void param_range_show(const struct param *param, char *low, char *high)
{
    const size_t capacity = PARAM_RANGE_BYTES;
    switch (param->kind) {
    case SLUICE_KIND_FLOAT:
        snprintf(low, capacity, "%.15g", param->float_min);
        snprintf(high, capacity, "%.15g", param->float_max);
        return;
    case SLUICE_KIND_DURATION:
        units_format_duration(param->min, low, capacity);
        units_format_duration(param->max, high, capacity);
        return;
    case SLUICE_KIND_SIZE:
        units_format_size((uint64_t)param->min, low, capacity);
        units_format_size((uint64_t)param->max, high, capacity);
        return;
    case SLUICE_KIND_BOOL:
    case SLUICE_KIND_INT:
    case SLUICE_KIND_STRING:
    case SLUICE_KIND_ENUM:
    case SLUICE_KIND_LIST:
    case SLUICE_KIND_MAP:
    case SLUICE_KIND_ANY:
        snprintf(low, capacity, "%" PRId64, param->has_range ? param->min : INT64_MIN);
        snprintf(high, capacity, "%" PRId64, param->has_range ? param->max : INT64_MAX);
        return;
    }
}

static enum param_answer pack_bool(const struct param *param, struct params_text scalar,
                                   struct buffer *record, struct error *error)
{
    bool value = strcmp(scalar.bytes, "true") == 0;
    if (!value && strcmp(scalar.bytes, "false") != 0)
        return refuse_kind(param, scalar, error);
    params_put_head(record, param->kind, param->name);
    params_put_bool(record, value);
    return PARAM_OK;
}

static enum param_answer pack_integer(const struct param *param, struct params_text scalar,
                                      struct buffer *record, struct error *error)
{
    int64_t value;
    bool read = param->kind == SLUICE_KIND_INT
                    ? units_parse_int(scalar.bytes, scalar.length, &value)
                    : units_parse_duration(scalar.bytes, scalar.length, &value);
    bool too_large =
        !read && param->kind == SLUICE_KIND_INT && units_is_int(scalar.bytes, scalar.length);
    if (!read && !too_large)
        return refuse_kind(param, scalar, error);
    if (too_large || !param_admits_int(param, value))
        return refuse_range(param, scalar, error);
    params_put_head(record, param->kind, param->name);
    params_put_int(record, value);
    return PARAM_OK;
}

static enum param_answer pack_float(const struct param *param, struct params_text scalar,
                                    struct buffer *record, struct error *error)
{
    double value;
    if (!units_parse_float(scalar.bytes, scalar.length, &value))
        return refuse_kind(param, scalar, error);
    if (!param_admits_float(param, value))
        return refuse_range(param, scalar, error);
    params_put_head(record, param->kind, param->name);
    params_put_float(record, value);
    return PARAM_OK;
}

static enum param_answer pack_size(const struct param *param, struct params_text scalar,
                                   struct buffer *record, struct error *error)
{
    uint64_t value;
    if (!units_parse_size(scalar.bytes, scalar.length, &value) || value > INT64_MAX)
        return refuse_kind(param, scalar, error);
    if (!param_admits_int(param, (int64_t)value))
        return refuse_range(param, scalar, error);
    params_put_head(record, param->kind, param->name);
    params_put_size(record, value);
    return PARAM_OK;
}

static bool json_is_valid(struct params_text scalar)
{
    json_t *value = json_loadb(scalar.bytes, scalar.length, JSON_DECODE_ANY, NULL);
    bool valid = value != NULL;
    json_decref(value);
    return valid;
}

static enum param_answer pack_text(const struct param *param, struct params_text scalar,
                                   struct buffer *record, struct error *error, const char **hint)
{
    if (memchr(scalar.bytes, '\0', scalar.length) != NULL ||
        (param->kind == SLUICE_KIND_ANY && !json_is_valid(scalar)))
        return refuse_kind(param, scalar, error);
    if (param->choices != NULL && param_choice_find(param, scalar) < 0)
        return refuse_choice(param, scalar, error, hint);
    params_put_head(record, param->kind, param->name);
    params_put_text(record, scalar.bytes, scalar.length);
    return PARAM_OK;
}

enum param_answer param_pack(const struct param *param, struct params_text scalar,
                             struct buffer *record, struct error *error, const char **hint)
{
    *hint = NULL;
    switch (param->kind) {
    case SLUICE_KIND_BOOL:
        return pack_bool(param, scalar, record, error);
    case SLUICE_KIND_INT:
    case SLUICE_KIND_DURATION:
        return pack_integer(param, scalar, record, error);
    case SLUICE_KIND_FLOAT:
        return pack_float(param, scalar, record, error);
    case SLUICE_KIND_SIZE:
        return pack_size(param, scalar, record, error);
    case SLUICE_KIND_STRING:
    case SLUICE_KIND_ENUM:
    case SLUICE_KIND_ANY:
        return pack_text(param, scalar, record, error, hint);
    case SLUICE_KIND_LIST:
    case SLUICE_KIND_MAP:
        break;
    }
    return refuse_kind(param, scalar, error);
}
