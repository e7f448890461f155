#include "store/sqlite_record.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

enum { NUMBER_MOST_BYTES = 10, NUMBERS_MOST = 12 };

static char *put_number(char *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (char)(number | 0x80);
    *at++ = (char)number;
    return at;
}

static char *put_signed(char *at, int64_t number)
{
    return put_number(at, ((uint64_t)number << 1) ^ (uint64_t)(number >> 63));
}

static char *put_bytes(char *at, const void *bytes, size_t length)
{
    return length == 0 ? at : (char *)memcpy(at, bytes, length) + length;
}

static char *put_text(char *at, const char *text)
{
    return put_bytes(at, text, strlen(text) + 1);
}

static bool next_number(struct sqlite_record_reader *reader, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        unsigned char byte = *reader->at++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool next_signed(struct sqlite_record_reader *reader, int64_t *number)
{
    uint64_t raw;
    if (!next_number(reader, &raw))
        return false;
    *number = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
    return true;
}

static bool next_small(struct sqlite_record_reader *reader, uint32_t *number)
{
    uint64_t raw;
    if (!next_number(reader, &raw) || raw > UINT32_MAX)
        return false;
    *number = (uint32_t)raw;
    return true;
}

static bool next_bytes(struct sqlite_record_reader *reader, size_t length, const void **bytes)
{
    if ((size_t)(reader->end - reader->at) < length)
        return false;
    *bytes = reader->at;
    reader->at += length;
    return true;
}

static bool next_text(struct sqlite_record_reader *reader, const char **text)
{
    size_t left = (size_t)(reader->end - reader->at);
    const unsigned char *nul = left == 0 ? NULL : memchr(reader->at, 0, left);

    if (nul == NULL)
        return false;
    *text = (const char *)reader->at;
    reader->at = nul + 1;
    return true;
}

static size_t task_most_bytes(const struct store_task_given *given)
{
    const struct sluice_map *labels = given->labels;
    size_t bytes = sizeof(uint32_t) + NUMBERS_MOST * NUMBER_MOST_BYTES + strlen(given->id) +
                   strlen(given->type) + 2 + given->params_bytes + given->extra_bytes;

    for (size_t i = 0; labels != NULL && i < labels->count; i++)
        bytes += strlen(labels->pairs[i].key) + strlen(labels->pairs[i].value) + 2;
    return bytes;
}

static char *put_labels(char *at, const struct sluice_map *labels)
{
    size_t count = labels == NULL ? 0 : labels->count;

    at = put_number(at, count);
    for (size_t i = 0; i < count; i++)
        at = put_text(put_text(at, labels->pairs[i].key), labels->pairs[i].value);
    return at;
}

void sqlite_record_put_task(struct buffer *chunk, const struct store_task_given *given,
                            int64_t due_wall_ns)
{
    char *from = buffer_reserve(chunk, task_most_bytes(given));
    char *at = from + sizeof(uint32_t);

    at = put_text(put_text(at, given->id), given->type);
    at = put_number(at, given->line);
    at = put_signed(at, given->timeout_ns);
    at = put_signed(at, given->weight);
    at = put_signed(at, given->priority);
    at = put_signed(at, due_wall_ns);
    at = put_labels(at, given->labels);
    at = put_bytes(put_number(at, given->params_bytes), given->params, given->params_bytes);
    uint32_t extra_bytes = given->extra == NULL ? 0 : given->extra_bytes;
    at = put_bytes(put_number(at, extra_bytes), given->extra, extra_bytes);
    uint32_t length = (uint32_t)(at - from - (ptrdiff_t)sizeof(uint32_t));
    memcpy(from, &length, sizeof(length));
    chunk->length += sizeof(length) + length;
}

void sqlite_record_task_fini(struct sqlite_record_task *task)
{
    free(task->pairs);
    *task = (struct sqlite_record_task){0};
}

/* Narrows to the next task of a chunk. */
static bool next_record(struct sqlite_record_reader *reader, struct sqlite_record_reader *record)
{
    uint32_t length;
    const void *bytes;

    if (!next_bytes(reader, sizeof(length), &bytes))
        return false;
    memcpy(&length, bytes, sizeof(length));
    if (!next_bytes(reader, length, &bytes))
        return false;
    *record = sqlite_record_read(bytes, length);
    return true;
}

bool sqlite_record_skip_task(struct sqlite_record_reader *reader)
{
    struct sqlite_record_reader record;
    return next_record(reader, &record);
}

static bool next_labels(struct sqlite_record_reader *record, struct sqlite_record_task *task)
{
    uint64_t count;

    task->given.labels = NULL;
    if (!next_number(record, &count) || count > (size_t)(record->end - record->at))
        return false;
    if (count > task->pairs_capacity) {
        task->pairs = memory_grow(task->pairs, count, sizeof(*task->pairs));
        task->pairs_capacity = count;
    }
    for (size_t i = 0; i < count; i++)
        if (!next_text(record, &task->pairs[i].key) || !next_text(record, &task->pairs[i].value))
            return false;
    task->labels = (struct sluice_map){count, task->pairs};
    if (count > 0)
        task->given.labels = &task->labels;
    return true;
}

static bool next_numbers(struct sqlite_record_reader *record, struct sqlite_record_task *task)
{
    struct store_task_given *given = &task->given;
    int64_t weight, priority;

    if (!next_small(record, &given->line) || !next_signed(record, &given->timeout_ns) ||
        !next_signed(record, &weight) || !next_signed(record, &priority) ||
        !next_signed(record, &task->due_wall_ns))
        return false;
    given->weight = (int32_t)weight;
    given->priority = (int8_t)priority;
    return true;
}

static bool next_blob(struct sqlite_record_reader *record, const void **bytes, uint32_t *length)
{
    bool right = next_small(record, length) && next_bytes(record, *length, bytes);
    if (right && *length == 0)
        *bytes = NULL;
    return right;
}

bool sqlite_record_next_task(struct sqlite_record_reader *reader, struct sqlite_record_task *task)
{
    struct sqlite_record_reader record;
    struct store_task_given *given = &task->given;

    return next_record(reader, &record) && next_text(&record, &given->id) &&
           next_text(&record, &given->type) && next_numbers(&record, task) &&
           next_labels(&record, task) && next_blob(&record, &given->params, &given->params_bytes) &&
           next_blob(&record, &given->extra, &given->extra_bytes);
}

void sqlite_record_put_attempt(struct buffer *attempts, const struct store_attempt *attempt)
{
    char *from = buffer_reserve(attempts, 4 * NUMBER_MOST_BYTES + strlen(attempt->reason) +
                                              strlen(attempt->message) + 2);
    char *at = put_number(from, (uint64_t)attempt->attempt << 1 | attempt->charged);

    at = put_signed(at, attempt->started_wall_ns);
    at = put_signed(at, attempt->ended_wall_ns);
    at = put_text(put_text(at, attempt->reason), attempt->message);
    attempts->length += (size_t)(at - from);
}

static bool next_attempt(struct sqlite_record_reader *reader, struct store_attempt *attempt)
{
    uint64_t head;

    if (!next_number(reader, &head) || !next_signed(reader, &attempt->started_wall_ns) ||
        !next_signed(reader, &attempt->ended_wall_ns) || !next_text(reader, &attempt->reason) ||
        !next_text(reader, &attempt->message))
        return false;
    attempt->attempt = (uint32_t)(head >> 1);
    attempt->charged = (head & 1) != 0;
    return true;
}

size_t sqlite_record_attempts(const void *record, size_t bytes, struct store_attempt *attempts,
                              size_t most)
{
    struct sqlite_record_reader reader = sqlite_record_read(record, bytes);
    struct store_attempt attempt;
    size_t count = 0;

    while (most > 0 && next_attempt(&reader, &attempt)) {
        if (count == most)
            memmove(attempts, attempts + 1, --count * sizeof(*attempts));
        attempts[count++] = attempt;
    }
    return count;
}

void sqlite_record_put_end(struct buffer *line, const struct sqlite_record_end *end,
                           uint64_t before)
{
    char *from = buffer_reserve(line, 2 * NUMBER_MOST_BYTES);
    char *at = put_signed(from, (int64_t)(end->place - before));

    at = put_number(at, end->bytes << 3 | (unsigned)end->state);
    line->length += (size_t)(at - from);
}

bool sqlite_record_next_end(struct sqlite_record_reader *reader, struct sqlite_record_end *end)
{
    int64_t step;
    uint64_t rest;

    if (!next_signed(reader, &step) || !next_number(reader, &rest) ||
        (rest & 7) >= STORE_STATE_COUNT)
        return false;
    end->place += (uint64_t)step;
    end->bytes = rest >> 3;
    end->state = (enum store_state)(rest & 7);
    return true;
}
