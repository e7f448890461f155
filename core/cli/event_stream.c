#include "cli/event_stream.h"

#include <stdio.h>
#include <string.h>

/* Returns the value of a line that begins with a field's name and its colon; NULL: it does not. */
static const char *value_of(const char *line, const char *field)
{
    size_t length = strlen(field);

    if (strncmp(line, field, length) != 0 || line[length] != ':')
        return NULL;
    return line + length + 1 + (line[length + 1] == ' ');
}

/* An empty line ends an event; one without data is none. */
static bool event_end(struct event_stream *stream)
{
    bool more = stream->data.length == 0 ||
                stream->take(stream->context, stream->name, buffer_text(&stream->data));

    stream->name[0] = '\0';
    stream->data.length = 0;
    return more;
}

static bool line_end(struct event_stream *stream)
{
    const char *line = buffer_text(&stream->line);
    const char *name = value_of(line, "event"), *data = value_of(line, "data");
    bool ends = line[0] == '\0';

    if (name != NULL)
        snprintf(stream->name, sizeof(stream->name), "%s", name);
    if (data != NULL && stream->data.length > 0)
        buffer_puts(&stream->data, "\n");
    if (data != NULL)
        buffer_puts(&stream->data, data);
    stream->line.length = 0;
    return !ends || event_end(stream);
}

static bool is_too_large(const struct event_stream *stream, size_t more)
{
    return stream->line.length + stream->data.length + more > EVENT_STREAM_EVENT_MOST_BYTES;
}

bool event_stream_feed(struct event_stream *stream, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        const char *newline = memchr(bytes + i, '\n', length - i);
        size_t piece = newline == NULL ? length - i : (size_t)(newline - (bytes + i));
        if (is_too_large(stream, piece))
            return false;
        buffer_append(&stream->line, bytes + i, piece);
        i += piece + (newline != NULL);
        if (newline == NULL)
            continue;
        if (stream->line.length > 0 && stream->line.bytes[stream->line.length - 1] == '\r')
            stream->line.length--;
        if (!line_end(stream))
            return false;
    }
    return true;
}

void event_stream_reset(struct event_stream *stream)
{
    buffer_fini(&stream->line);
    buffer_fini(&stream->data);
    stream->name[0] = '\0';
}
