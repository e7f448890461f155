/* params: writing and reading of packed parameter records; the format stands in params.h. */
#include "plugin/params.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

static void put_u32(struct buffer *record, uint32_t value)
{
    uint32_t little = htole32(value);
    buffer_append(record, &little, sizeof little);
}

static void put_u64(struct buffer *record, uint64_t value)
{
    uint64_t little = htole64(value);
    buffer_append(record, &little, sizeof little);
}

void params_put_head(struct buffer *record, enum sluice_kind kind, const char *name)
{
    size_t length = strlen(name);
    assert(length >= 1 && length <= PARAMS_NAME_MOST_BYTES);
    char *at = buffer_reserve(record, length + 3);
    at[0] = (char)kind;
    at[1] = (char)length;
    memcpy(at + 2, name, length + 1);
    record->length += length + 3;
}

void params_set_late(struct buffer *record, size_t head)
{
    assert(head < record->length);
    record->bytes[head] = (char)((unsigned char)record->bytes[head] | PARAMS_LATE);
}

void params_put_bool(struct buffer *record, bool value)
{
    buffer_append(record, &(char){value ? 1 : 0}, 1);
}

void params_put_int(struct buffer *record, int64_t value)
{
    put_u64(record, (uint64_t)value);
}

void params_put_float(struct buffer *record, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_u64(record, bits);
}

void params_put_size(struct buffer *record, uint64_t value)
{
    put_u64(record, value);
}

size_t params_put_count(struct buffer *record, uint32_t count)
{
    size_t where = record->length;
    put_u32(record, count);
    return where;
}

void params_set_count(struct buffer *record, size_t where, uint32_t count)
{
    assert(where + sizeof count <= record->length);
    uint32_t little = htole32(count);
    memcpy(record->bytes + where, &little, sizeof little);
}

void params_put_text(struct buffer *record, const char *bytes, size_t length)
{
    assert(length < UINT32_MAX);
    uint32_t little = htole32((uint32_t)length);
    char *at = buffer_reserve(record, length + sizeof little + 1);
    memcpy(at, &little, sizeof little);
    if (length != 0)
        memcpy(at + sizeof little, bytes, length);
    at[sizeof little + length] = '\0';
    record->length += length + sizeof little + 1;
}

void params_begin(struct params_reader *reader, const void *record, size_t bytes)
{
    reader->at = record;
    reader->end = bytes == 0 ? reader->at : reader->at + bytes;
}

static size_t bytes_left(const struct params_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static bool read_u32(struct params_reader *reader, uint32_t *value)
{
    uint32_t little;
    if (bytes_left(reader) < sizeof little)
        return false;
    memcpy(&little, reader->at, sizeof little);
    *value = le32toh(little);
    reader->at += sizeof little;
    return true;
}

static bool read_u64(struct params_reader *reader, uint64_t *value)
{
    uint64_t little;
    if (bytes_left(reader) < sizeof little)
        return false;
    memcpy(&little, reader->at, sizeof little);
    *value = le64toh(little);
    reader->at += sizeof little;
    return true;
}

static bool read_bool(struct params_reader *reader, bool *value)
{
    if (bytes_left(reader) < 1 || *reader->at > 1)
        return false;
    *value = *reader->at++ == 1;
    return true;
}

static bool read_float(struct params_reader *reader, double *value)
{
    uint64_t bits;
    if (!read_u64(reader, &bits))
        return false;
    memcpy(value, &bits, sizeof *value);
    return true;
}

bool params_next_text(struct params_reader *reader, struct params_text *text)
{
    struct params_reader ahead = *reader;
    uint32_t length;
    if (!read_u32(&ahead, &length) || bytes_left(&ahead) < (size_t)length + 1 ||
        ahead.at[length] != '\0' || memchr(ahead.at, '\0', length) != NULL)
        return false;
    *text = (struct params_text){(const char *)ahead.at, length};
    reader->at = ahead.at + length + 1;
    return true;
}

static bool read_value(struct params_reader *reader, struct params_field *field)
{
    uint64_t bits = 0;
    if (field->late && field->kind != SLUICE_KIND_LIST && field->kind != SLUICE_KIND_MAP)
        return params_next_text(reader, &field->text);
    switch (field->kind) {
    case SLUICE_KIND_BOOL:
        return read_bool(reader, &field->boolean);
    case SLUICE_KIND_INT:
    case SLUICE_KIND_DURATION:
        if (!read_u64(reader, &bits))
            return false;
        field->integer = (int64_t)bits;
        return true;
    case SLUICE_KIND_FLOAT:
        return read_float(reader, &field->real);
    case SLUICE_KIND_SIZE:
        return read_u64(reader, &field->size);
    case SLUICE_KIND_STRING:
    case SLUICE_KIND_ENUM:
    case SLUICE_KIND_ANY:
        return params_next_text(reader, &field->text);
    case SLUICE_KIND_LIST:
    case SLUICE_KIND_MAP:
        return read_u32(reader, &field->count);
    }
    return false; /* a kind that this version does not know */
}

/* On damage the reader stays at the field's first byte, so that at != end tells the caller. */
bool params_next(struct params_reader *reader, struct params_field *field)
{
    struct params_reader ahead = *reader;
    if (bytes_left(&ahead) < 3)
        return false;
    size_t length = ahead.at[1];
    field->kind = (enum sluice_kind)(ahead.at[0] & ~PARAMS_LATE);
    field->late = (ahead.at[0] & PARAMS_LATE) != 0;
    field->name = (struct params_text){(const char *)ahead.at + 2, (uint32_t)length};
    ahead.at += 2;
    if (length == 0 || length > PARAMS_NAME_MOST_BYTES || bytes_left(&ahead) < length + 1 ||
        memchr(ahead.at, '\0', length + 1) != ahead.at + length)
        return false;
    ahead.at += length + 1;
    if (!read_value(&ahead, field))
        return false;
    reader->at = ahead.at;
    return true;
}

bool params_next_of(struct params_reader *reader, struct params_text head,
                    struct params_field *field)
{
    struct params_reader ahead = *reader;
    if (bytes_left(&ahead) < head.length || memcmp(ahead.at, head.bytes, head.length) != 0)
        return false;
    field->kind = (enum sluice_kind)head.bytes[0];
    field->late = false; /* its kind would be another one */
    field->name = (struct params_text){(const char *)ahead.at + 2, head.length - 3};
    ahead.at += head.length;
    if (!read_value(&ahead, field))
        return false;
    reader->at = ahead.at;
    return true;
}
