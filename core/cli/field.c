#include "cli/field.h"

#include <stdlib.h>
#include <string.h>

const char *field_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

int64_t field_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

double field_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

bool field_is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

char *field_shown(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    char *shown = value == NULL || json_is_null(value) ? strdup("")
                  : json_is_string(value)
                      ? strdup(json_string_value(value))
                      : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));

    if (shown == NULL)
        abort();
    return shown;
}
