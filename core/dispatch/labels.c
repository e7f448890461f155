#include "dispatch/labels.h"

#include <stdio.h>
#include <string.h>

static size_t count_of(const struct sluice_map *labels)
{
    return labels == NULL ? 0 : labels->count;
}

bool labels_equal(const struct sluice_map *one, const struct sluice_map *other)
{
    size_t count = count_of(one);
    if (one == other)
        return true;
    if (count != count_of(other))
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(one->pairs[i].key, other->pairs[i].key) != 0 ||
            strcmp(one->pairs[i].value, other->pairs[i].value) != 0)
            return false;
    return true;
}

static const char *value_of(const struct sluice_map *labels, const char *key)
{
    for (size_t i = 0; i < count_of(labels); i++)
        if (strcmp(labels->pairs[i].key, key) == 0)
            return labels->pairs[i].value;
    return NULL;
}

bool labels_include(const struct sluice_map *labels, const struct sluice_map *wanted)
{
    for (size_t i = 0; i < count_of(wanted); i++) {
        const char *value = value_of(labels, wanted->pairs[i].key);
        if (value == NULL || strcmp(value, wanted->pairs[i].value) != 0)
            return false;
    }
    return true;
}

void labels_write(const struct sluice_map *labels, char *text, size_t capacity)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count_of(labels) && length < capacity; i++) {
        int more = snprintf(text + length, capacity - length, "%s%s=%s", i > 0 ? "," : "",
                            labels->pairs[i].key, labels->pairs[i].value);
        length += more > 0 ? (size_t)more : 0;
    }
}
