/* A map of ASCII, with spaces and newlines as the only space, keys and texts in quotes on one line
 * without escapes, numbers, true, false and null. Keys stand on the line of their colon, and no
 * comma stands at an end: YAML is stricter than JSON in the one, JSON in the other. */
#include "accept/job_file/json_batch.h"

#include <string.h>

enum { DEPTH_MOST = 16, TEXT_MOST_BYTES = 1000 }; /* libyaml takes keys of 1024 */

struct reader {
    struct json_batch *batch;
    char *texts_end; /* in the batch: a text and its NUL are no longer than what stands for them */
    const char *begin, *at, *end;
    const char *line_begin;
    uint32_t line;
    uint32_t depth;
};

/* Puts an item without a place behind the others; NULL: there is no room. */
static struct yaml_item *put(struct reader *reader, yaml_event_type_t type, enum yaml_kind kind)
{
    struct json_batch *batch = reader->batch;
    if (batch->count == JSON_BATCH_ITEMS_MOST)
        return NULL;
    struct yaml_item *item = &batch->items[batch->count++];
    *item = (struct yaml_item){.type = type, .node.kind = kind};
    return item;
}

/* Says that an item begins at a place of this line and ends where the reader is. */
static void set_place(const struct reader *reader, struct yaml_item *item, const char *from)
{
    uint32_t width = (uint32_t)(reader->at - from);
    item->node.place = (struct place){.line = reader->line,
                                      .column = (uint32_t)(from - reader->line_begin) + 1,
                                      .width = width > 0 ? width : 1};
    item->character = (uint32_t)(from - reader->begin);
}

static bool put_bare(struct reader *reader, yaml_event_type_t type, enum yaml_kind kind,
                     const char *from)
{
    struct yaml_item *item = put(reader, type, kind);
    if (item != NULL)
        set_place(reader, item, from);
    return item != NULL;
}

/* Puts what stands between from and the reader, of which text is a part. */
static bool put_scalar(struct reader *reader, const char *from, const char *text, size_t length)
{
    struct yaml_item *item = put(reader, YAML_SCALAR_EVENT, YAML_KIND_SCALAR);
    if (item == NULL)
        return false;
    set_place(reader, item, from);
    item->double_quoted = text != from;
    item->node.plain = text == from;
    item->node.length = length;
    item->node.text = memcpy(reader->texts_end, text, length);
    reader->texts_end += length;
    *reader->texts_end++ = '\0';
    return true;
}

static bool next_is(const struct reader *reader, char byte)
{
    return reader->at < reader->end && *reader->at == byte;
}

static void skip_space(struct reader *reader)
{
    for (; next_is(reader, ' ') || next_is(reader, '\n'); reader->at++)
        if (*reader->at == '\n') {
            reader->line++;
            reader->line_begin = reader->at + 1;
        }
}

static bool read_text(struct reader *reader)
{
    const char *from = reader->at, *text = from + 1, *at = text, *end = reader->end;
    while (at < end && *at >= ' ' && *at <= '~' && *at != '"' && *at != '\\')
        at++;
    size_t length = (size_t)(at - text);
    if (at == end || *at != '"' || length > TEXT_MOST_BYTES)
        return false;
    reader->at = at + 1;
    return put_scalar(reader, from, text, length);
}

static bool is_word(const char *text, size_t length)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && memcmp(words[i], text, length) == 0)
            return true;
    return false;
}

/* A number or a word, up to what cannot be in one. */
static bool read_word(struct reader *reader)
{
    static const char letters[] = "+-.0123456789Eaeflnrstu";
    const char *from = reader->at;
    while (reader->at < reader->end && memchr(letters, *reader->at, sizeof letters - 1) != NULL)
        reader->at++;
    size_t length = (size_t)(reader->at - from);
    size_t sign = length > 0 && from[0] == '-';
    bool number = length > sign && from[sign] >= '0' && from[sign] <= '9';
    return (number || is_word(from, length)) && put_scalar(reader, from, from, length);
}

static bool read_value(struct reader *reader);

static bool read_key(struct reader *reader)
{
    if (!next_is(reader, '"') || !read_text(reader))
        return false;
    while (next_is(reader, ' '))
        reader->at++;
    if (!next_is(reader, ':'))
        return false;
    reader->at++;
    skip_space(reader);
    return true;
}

/* Reads what stands between brackets, up to the closing one; the reader is behind the opening. */
static bool read_members(struct reader *reader, bool (*read)(struct reader *reader), char close)
{
    skip_space(reader);
    if (next_is(reader, close))
        return true;
    while (read(reader)) {
        skip_space(reader);
        if (!next_is(reader, ','))
            return next_is(reader, close);
        reader->at++;
        skip_space(reader);
    }
    return false;
}

static bool read_pair(struct reader *reader)
{
    return read_key(reader) && read_value(reader);
}

/* Reads a list or a map, which begins with the item of the type and the kind. */
static bool read_nested(struct reader *reader, bool (*read)(struct reader *reader), char close,
                        yaml_event_type_t type, enum yaml_kind kind)
{
    bool map = kind == YAML_KIND_MAP;
    const char *from = reader->at++;
    if (++reader->depth > DEPTH_MOST || !put_bare(reader, type, kind, from) ||
        !read_members(reader, read, close))
        return false;
    reader->depth--;
    from = reader->at++;
    return put_bare(reader, map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, YAML_KIND_END,
                    from);
}

static bool read_map(struct reader *reader)
{
    return read_nested(reader, read_pair, '}', YAML_MAPPING_START_EVENT, YAML_KIND_MAP);
}

static bool read_list(struct reader *reader)
{
    return read_nested(reader, read_value, ']', YAML_SEQUENCE_START_EVENT, YAML_KIND_LIST);
}

static bool read_value(struct reader *reader)
{
    if (next_is(reader, '{'))
        return read_map(reader);
    if (next_is(reader, '['))
        return read_list(reader);
    return next_is(reader, '"') ? read_text(reader) : read_word(reader);
}

/* libyaml has the stream end at the beginning of a line. */
static bool put_end(struct reader *reader)
{
    const char *from = reader->at;
    struct yaml_item *document = put(reader, YAML_DOCUMENT_END_EVENT, YAML_KIND_END);
    struct yaml_item *stream = put(reader, YAML_STREAM_END_EVENT, YAML_KIND_END);
    if (stream == NULL)
        return false;
    document->node.place = (struct place){reader->line + (from > reader->line_begin), 1, 1};
    document->character = (uint32_t)(from - reader->begin);
    stream->node.place = document->node.place;
    return true;
}

static bool read_stream(struct reader *reader)
{
    if (!put_bare(reader, YAML_STREAM_START_EVENT, YAML_KIND_END, reader->begin))
        return false;
    skip_space(reader);
    if (!next_is(reader, '{') ||
        !put_bare(reader, YAML_DOCUMENT_START_EVENT, YAML_KIND_END, reader->at) ||
        !read_map(reader))
        return false;
    skip_space(reader);
    return reader->at == reader->end && put_end(reader);
}

bool json_batch_fill(struct json_batch *batch, const char *text, size_t length)
{
    struct reader reader = {.batch = batch,
                            .texts_end = batch->texts,
                            .begin = text,
                            .at = text,
                            .end = text + length,
                            .line_begin = text,
                            .line = 1};
    batch->count = 0;
    if (length <= JSON_BATCH_MOST_BYTES && read_stream(&reader))
        return true;
    batch->count = 0;
    return false;
}
