#include "serve/json_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/utf8.h"

json_t *json_text(const char *text, size_t length)
{
    json_t *whole = json_stringn(text, length);

    if (whole != NULL)
        return whole;
    CLEANUP(buffer_fini) struct buffer mended = BUFFER_EMPTY;
    for (size_t i = 0; i < length;) {
        uint32_t character;
        size_t bytes = utf8_read(text + i, length - i, &character);
        if (bytes == 0)
            buffer_puts(&mended, "\xef\xbf\xbd");
        else
            buffer_append(&mended, text + i, bytes);
        i += bytes == 0 ? 1 : bytes;
    }
    return json_stringn(mended.bytes, mended.length);
}

json_t *json_text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_text(text, strlen(text));
}

json_t *json_wall_time(int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    char date[32], text[48];
    struct tm utc;

    if (wall_ns == 0)
        return json_null();
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof(text), "%s.%06dZ", date, (int)(wall_ns % NS_PER_S / NS_PER_US));
    return json_string(text);
}

json_t *json_outputs(const void *outputs, size_t bytes)
{
    json_t *object = json_object();
    const char *at = outputs, *end = at + bytes;

    while (at < end) {
        const char *text = at + strlen(at) + 1;
        size_t length = strlen(text);
        json_object_set_new(object, at, json_text(text, length));
        at = text + length + 1;
    }
    return object;
}

json_t *json_labels(const struct sluice_map *labels)
{
    json_t *object = json_object();

    for (uint32_t i = 0; labels != NULL && i < labels->count; i++)
        json_object_set_new(object, labels->pairs[i].key,
                            json_text_or_null(labels->pairs[i].value));
    return object;
}
