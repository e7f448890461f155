#include "execute/isolate/frame.h"

#include <assert.h>
#include <string.h>

#include "plugin/name.h"

/* The machine is little endian, as the frames are. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "members are written as they lie here");

#define PUT(out, value) buffer_append((out), &(value), sizeof(value))

static void put_kind(struct buffer *out, enum frame_kind kind)
{
    uint8_t byte = (uint8_t)kind;
    PUT(out, byte);
}

static void put_blob(struct buffer *out, const char *bytes, size_t length)
{
    uint32_t count = (uint32_t)length;
    PUT(out, count);
    buffer_append(out, bytes, length);
}

static void put_text(struct buffer *out, const char *text)
{
    put_blob(out, text, strlen(text));
    buffer_append(out, "", 1);
}

static void put_pairs(struct buffer *out, const struct sluice_pair *pairs, uint32_t count)
{
    PUT(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_text(out, pairs[i].key);
        put_text(out, pairs[i].value);
    }
}

void frame_put_setup(struct buffer *out, const struct frame_setup *setup)
{
    uint8_t level = (uint8_t)setup->log_level, format = (uint8_t)setup->log_format;
    uint8_t keeps = setup->keeps_output;
    put_kind(out, FRAME_SETUP);
    put_text(out, setup->copy);
    PUT(out, level);
    PUT(out, format);
    PUT(out, keeps);
    PUT(out, setup->memory_most);
    put_pairs(out, setup->settings, setup->settings_count);
}

void frame_put_tasks(struct buffer *out, uint32_t batch, const char *job, uint32_t count)
{
    put_kind(out, FRAME_TASKS);
    PUT(out, batch);
    put_text(out, job);
    PUT(out, count);
}

void frame_put_task(struct buffer *out, const struct frame_task *task)
{
    PUT(out, task->offer);
    PUT(out, task->attempt);
    PUT(out, task->timeout_ns);
    put_text(out, task->id);
    put_text(out, task->type);
    put_pairs(out, task->labels.pairs, (uint32_t)task->labels.count);
    put_blob(out, task->params.bytes, task->params.length);
}

void frame_put_cancel(struct buffer *out, uint32_t batch, uint32_t index)
{
    put_kind(out, FRAME_CANCEL);
    PUT(out, batch);
    PUT(out, index);
}

void frame_put_ready(struct buffer *out)
{
    put_kind(out, FRAME_READY);
}

void frame_put_refused(struct buffer *out, const char *why)
{
    put_kind(out, FRAME_REFUSED);
    put_text(out, why);
}

void frame_put_answer(struct buffer *out, const struct frame_answer *answer)
{
    const struct answer *is = &answer->answer;
    uint8_t how = (uint8_t)is->how, asked = answer->was_asked;
    const struct buffer *outputs = is->outputs;
    put_kind(out, FRAME_ANSWER);
    PUT(out, answer->batch);
    PUT(out, answer->index);
    PUT(out, how);
    PUT(out, asked);
    PUT(out, answer->ended_ns);
    PUT(out, is->status);
    PUT(out, is->try_again_ns);
    put_text(out, is->code);
    put_text(out, is->message);
    put_blob(out, outputs != NULL ? outputs->bytes : NULL, outputs != NULL ? outputs->length : 0);
}

void frame_put_keep(struct buffer *out, uint32_t batch, uint32_t index, const char *bytes,
                    size_t length)
{
    put_kind(out, FRAME_KEEP);
    PUT(out, batch);
    PUT(out, index);
    put_blob(out, bytes, length);
}

void frame_put_said(struct buffer *out, const char *line)
{
    put_kind(out, FRAME_SAID);
    put_text(out, line);
}

void frame_put_done(struct buffer *out, const struct frame_done *done)
{
    uint8_t strays = done->has_strays;
    put_kind(out, FRAME_DONE);
    PUT(out, done->batch);
    PUT(out, strays);
    PUT(out, done->resident_bytes);
}

/* ---- reading: the first thing that is wrong ends it, and all that follows is nothing ---- */

struct reader {
    const char *at, *end;
    bool failed;
};

static const char *get_bytes(struct reader *reader, size_t length)
{
    static const char nothing[1];
    if (reader->failed || length > (size_t)(reader->end - reader->at)) {
        reader->failed = true;
        return nothing;
    }
    const char *bytes = reader->at;
    reader->at += length;
    return bytes;
}

static void get(struct reader *reader, void *value, size_t bytes)
{
    const char *from = get_bytes(reader, bytes);
    if (reader->failed)
        memset(value, 0, bytes);
    else
        memcpy(value, from, bytes);
}

#define GET(reader, value) get((reader), &(value), sizeof(value))

static struct reader begin(const void *bytes, size_t length, enum frame_kind kind)
{
    struct reader reader = {bytes, (const char *)bytes + length, false};
    uint8_t is;
    GET(&reader, is);
    reader.failed |= is != (uint8_t)kind;
    return reader;
}

/* All of it was read, and nothing is behind it. */
static bool end(const struct reader *reader)
{
    return !reader->failed && reader->at == reader->end;
}

static struct params_text get_blob(struct reader *reader)
{
    uint32_t length;
    GET(reader, length);
    const char *bytes = get_bytes(reader, length);
    return (struct params_text){bytes, reader->failed ? 0 : length};
}

static const char *get_text(struct reader *reader)
{
    uint32_t length;
    GET(reader, length);
    const char *bytes = get_bytes(reader, (size_t)length + 1);
    if (!reader->failed && (bytes[length] != '\0' || memchr(bytes, '\0', length) != NULL))
        reader->failed = true;
    return reader->failed ? "" : bytes;
}

/* Two texts take ten bytes at least, so that a count cannot ask for more memory than was sent. */
static const struct sluice_pair *get_pairs(struct reader *reader, struct arena *arena,
                                           uint32_t most, uint32_t *count)
{
    struct sluice_pair *pairs = NULL;
    GET(reader, *count);
    if (*count > most || *count > (size_t)(reader->end - reader->at) / 10)
        reader->failed = true;
    if (!reader->failed && *count > 0)
        pairs = arena_alloc(arena, *count * sizeof *pairs, _Alignof(struct sluice_pair));
    for (uint32_t i = 0; pairs != NULL && i < *count; i++) {
        pairs[i].key = get_text(reader);
        pairs[i].value = get_text(reader);
    }
    reader->failed |= *count > 0 && pairs == NULL;
    return pairs;
}

enum frame_kind frame_kind_of(const void *bytes, size_t length)
{
    return length == 0 ? (enum frame_kind)0 : (enum frame_kind) * (const uint8_t *)bytes;
}

bool frame_get_setup(const void *bytes, size_t length, struct arena *arena,
                     struct frame_setup *setup)
{
    struct reader reader = begin(bytes, length, FRAME_SETUP);
    uint8_t level, format, keeps;
    *setup = (struct frame_setup){.copy = get_text(&reader)};
    GET(&reader, level);
    GET(&reader, format);
    GET(&reader, keeps);
    GET(&reader, setup->memory_most);
    setup->settings = get_pairs(&reader, arena, FRAME_SETTINGS_MOST, &setup->settings_count);
    reader.failed |= level > LOG_ERROR || format > LOG_FORMAT_JSON || keeps > 1;
    setup->log_level = (enum log_level)level;
    setup->log_format = (enum log_format)format;
    setup->keeps_output = keeps != 0;
    return end(&reader);
}

static void get_task(struct reader *reader, struct arena *arena, struct frame_task *task)
{
    uint32_t labels_count;
    GET(reader, task->offer);
    GET(reader, task->attempt);
    GET(reader, task->timeout_ns);
    task->id = get_text(reader);
    task->type = get_text(reader);
    task->labels.pairs = get_pairs(reader, arena, FRAME_LABELS_MOST, &labels_count);
    task->labels.count = labels_count;
    task->params = get_blob(reader);
    reader->failed |= task->timeout_ns < 0;
}

bool frame_get_tasks(const void *bytes, size_t length, struct arena *arena,
                     struct frame_tasks *tasks)
{
    struct reader reader = begin(bytes, length, FRAME_TASKS);
    GET(&reader, tasks->batch);
    tasks->job = get_text(&reader);
    GET(&reader, tasks->count);
    if (tasks->count == 0 || tasks->count > FRAME_TASKS_MOST)
        return false;
    for (uint32_t i = 0; i < tasks->count && !reader.failed; i++)
        get_task(&reader, arena, &tasks->tasks[i]);
    return end(&reader);
}

bool frame_get_cancel(const void *bytes, size_t length, uint32_t *batch, uint32_t *index)
{
    struct reader reader = begin(bytes, length, FRAME_CANCEL);
    GET(&reader, *batch);
    GET(&reader, *index);
    return end(&reader);
}

static bool get_one_text(const void *bytes, size_t length, enum frame_kind kind, const char **text)
{
    struct reader reader = begin(bytes, length, kind);
    *text = get_text(&reader);
    return end(&reader);
}

bool frame_get_refused(const void *bytes, size_t length, const char **why)
{
    return get_one_text(bytes, length, FRAME_REFUSED, why);
}

bool frame_get_said(const void *bytes, size_t length, const char **line)
{
    return get_one_text(bytes, length, FRAME_SAID, line);
}

/* Returns whether there is an output of that name before a place. */
static bool is_twice(struct params_text blob, const char *name)
{
    for (const char *at = blob.bytes; at != name; at += strlen(at) + 1, at += strlen(at) + 1)
        if (strcmp(at, name) == 0)
            return true;
    return false;
}

/* Name NUL text NUL, any number of times, each name once: what call_host.c makes of outputs. */
static bool is_outputs(struct params_text blob)
{
    const char *end = blob.bytes + blob.length;
    size_t nuls = 0, count = 0;
    for (uint32_t i = 0; i < blob.length; i++)
        nuls += blob.bytes[i] == '\0';
    if (blob.length > CALL_OUTPUTS_MOST_BYTES || nuls % 2 != 0 || nuls / 2 > CALL_OUTPUTS_MOST ||
        (blob.length > 0 && end[-1] != '\0'))
        return false;
    for (const char *name = blob.bytes; count < nuls / 2; count++) {
        if (!name_is_output(name) || is_twice(blob, name))
            return false;
        name += strlen(name) + 1;
        name += strlen(name) + 1;
    }
    return true;
}

static bool is_code(const char *code)
{
    return code[0] == '\0' || name_is_code(code);
}

bool frame_get_answer(const void *bytes, size_t length, struct frame_answer *answer)
{
    struct reader reader = begin(bytes, length, FRAME_ANSWER);
    struct answer *is = &answer->answer;
    uint8_t how, asked;
    GET(&reader, answer->batch);
    GET(&reader, answer->index);
    GET(&reader, how);
    GET(&reader, asked);
    GET(&reader, answer->ended_ns);
    GET(&reader, is->status);
    GET(&reader, is->try_again_ns);
    is->code = get_text(&reader);
    is->message = get_text(&reader);
    struct params_text outputs = get_blob(&reader);
    answer->outputs = (struct buffer){(char *)(uintptr_t)outputs.bytes, outputs.length, 0};
    is->outputs = outputs.length > 0 ? &answer->outputs : NULL;
    is->how = (enum answer_how)how;
    answer->was_asked = asked != 0;
    reader.failed |= how > ANSWER_NO_PARAMS || asked > 1 || is->try_again_ns < 0 ||
                     !is_code(is->code) || strlen(is->message) >= CALL_MESSAGE_BYTES ||
                     !is_outputs(outputs);
    return end(&reader);
}

bool frame_get_keep(const void *bytes, size_t length, struct frame_keep *keep)
{
    struct reader reader = begin(bytes, length, FRAME_KEEP);
    GET(&reader, keep->batch);
    GET(&reader, keep->index);
    keep->bytes = get_blob(&reader);
    reader.failed |= memchr(keep->bytes.bytes, '\0', keep->bytes.length) != NULL;
    return end(&reader);
}

bool frame_get_done(const void *bytes, size_t length, struct frame_done *done)
{
    struct reader reader = begin(bytes, length, FRAME_DONE);
    uint8_t strays;
    GET(&reader, done->batch);
    GET(&reader, strays);
    reader.failed |= strays > 1;
    done->has_strays = strays != 0;
    GET(&reader, done->resident_bytes);
    return end(&reader);
}
