#include "store/memory_record.h"
#include "support/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *must_allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL)
        abort();
    return memory;
}

struct memory_record *memory_record_create(struct memory_job *job, const void *handle)
{
    struct memory_record *record = must_allocate(sizeof(*record));
    memset(record, 0, offsetof(struct memory_record, only_attempt));
    record->job = job;
    record->handle = handle;
    record->bytes = sizeof(*record);
    return record;
}

/* The reason of an attempt that has no texts. */
static const char no_texts[] = "";

static void texts_free(const struct store_attempt *attempt)
{
    if (attempt->reason != no_texts)
        free((char *)attempt->reason);
}

void memory_record_destroy(struct memory_record **record_to_clear)
{
    struct memory_record *record = *record_to_clear;

    if (record == NULL)
        return;
    memory_record_unlink(record);
    for (size_t i = 0; i < record->task.attempts_count; i++)
        texts_free(&record->attempts[i]);
    if (record->attempts != &record->only_attempt)
        free(record->attempts);
    free((void *)record->task.outputs);
    if (record->given_copy != record->given_room)
        free(record->given_copy);
    buffer_fini(&record->log);
    free(record);
    *record_to_clear = NULL;
}

/* Copies bytes to *end, moves it behind them and returns the copy. */
static void *put_bytes(char **end, const void *bytes, size_t length)
{
    char *copy = *end;
    if (length > 0)
        memcpy(copy, bytes, length);
    *end += length;
    return copy;
}

static const char *put_text(char **end, const char *text)
{
    return put_bytes(end, text, strlen(text) + 1);
}

static size_t labels_bytes(const struct sluice_map *labels)
{
    size_t bytes = labels == NULL ? 0 : sizeof(*labels) + labels->count * sizeof(*labels->pairs);

    for (size_t i = 0; labels != NULL && i < labels->count; i++)
        bytes += strlen(labels->pairs[i].key) + strlen(labels->pairs[i].value) + 2;
    return bytes;
}

static const struct sluice_map *put_labels(char **end, const struct sluice_map *labels)
{
    if (labels == NULL)
        return NULL;
    struct sluice_map *map = put_bytes(end, labels, sizeof(*labels));
    struct sluice_pair *pairs =
        put_bytes(end, labels->pairs, labels->count * sizeof(*labels->pairs));
    map->pairs = pairs;
    for (size_t i = 0; i < labels->count; i++) {
        pairs[i].key = put_text(end, labels->pairs[i].key);
        pairs[i].value = put_text(end, labels->pairs[i].value);
    }
    return map;
}

void memory_record_copy_given(struct memory_record *record, const struct store_task_given *given)
{
    size_t bytes = labels_bytes(given->labels) + given->params_bytes + given->extra_bytes +
                   strlen(given->id) + strlen(given->type) + 2;
    char *end = record->given_copy =
        bytes <= sizeof(record->given_room) ? record->given_room : must_allocate(bytes);
    struct store_task_given *copy = &record->task.given;

    assert(record->handle != NULL);
    *copy = *given;
    copy->labels = put_labels(&end, given->labels); /* first, because it is aligned */
    copy->params = put_bytes(&end, given->params, given->params_bytes);
    copy->extra = given->extra_bytes > 0 ? put_bytes(&end, given->extra, given->extra_bytes) : NULL;
    copy->id = put_text(&end, given->id);
    copy->type = put_text(&end, given->type);
    record->handle = NULL;
    record->bytes += record->given_copy == record->given_room ? 0 : bytes;
}

static size_t texts_bytes(const struct store_attempt *attempt)
{
    return strlen(attempt->reason) + strlen(attempt->message) + 2;
}

static size_t attempt_bytes(const struct store_attempt *attempt)
{
    return sizeof(*attempt) + texts_bytes(attempt);
}

static void forget_oldest_attempt(struct memory_record *record)
{
    record->bytes -= attempt_bytes(&record->attempts[0]);
    texts_free(&record->attempts[0]);
    record->task.attempts_count--;
    memmove(record->attempts, record->attempts + 1,
            record->task.attempts_count * sizeof(record->attempts[0]));
}

/* Makes room for one more. */
static void grow_attempts(struct memory_record *record)
{
    size_t count = record->task.attempts_count;

    if (count == 0 && record->attempts == NULL) {
        record->attempts = &record->only_attempt;
        return;
    }
    bool leaves = record->attempts == &record->only_attempt;
    record->attempts =
        memory_grow(leaves ? NULL : record->attempts, count + 1, sizeof(record->attempts[0]));
    if (leaves)
        record->attempts[0] = record->only_attempt;
}

static void copy_texts(struct store_attempt *copy, const struct store_attempt *attempt)
{
    if (attempt->reason[0] == '\0' && attempt->message[0] == '\0') {
        copy->reason = copy->message = no_texts;
        return;
    }
    char *end = must_allocate(texts_bytes(attempt));
    copy->reason = put_text(&end, attempt->reason);
    copy->message = put_text(&end, attempt->message);
}

void memory_record_add_attempt(struct memory_record *record, const struct store_attempt *attempt)
{
    struct store_task *task = &record->task;

    if (task->attempts_count == STORE_ATTEMPTS_MOST)
        forget_oldest_attempt(record);
    grow_attempts(record);
    struct store_attempt *copy = &record->attempts[task->attempts_count++];
    *copy = *attempt;
    copy_texts(copy, attempt);
    task->attempts = record->attempts;
    record->bytes += attempt_bytes(copy);
}

void memory_record_set_outputs(struct memory_record *record, const void *outputs, size_t bytes)
{
    struct store_task *task = &record->task;

    record->bytes -= task->outputs_bytes;
    free((void *)task->outputs);
    task->outputs = NULL;
    task->outputs_bytes = 0;
    if (outputs == NULL || bytes == 0)
        return;
    task->outputs = memcpy(must_allocate(bytes), outputs, bytes);
    task->outputs_bytes = bytes;
    record->bytes += bytes;
}

static void forget_log_front(struct buffer *log, size_t keep)
{
    if (log->length <= keep)
        return;
    memmove(log->bytes, log->bytes + log->length - keep, keep);
    log->length = keep;
}

/* Returns how much of the log's end is shown: most bytes, or less from the next start of a line. */
static size_t shown_bytes(const struct buffer *log, size_t most)
{
    if (log->length <= most)
        return log->length;
    const char *cut = log->bytes + log->length - most;
    const char *newline = cut[-1] == '\n' ? cut - 1 : memchr(cut, '\n', most);
    if (newline == NULL || newline + 1 == log->bytes + log->length)
        return most;
    return (size_t)(log->bytes + log->length - (newline + 1));
}

void memory_record_add_log(struct memory_record *record, const char *text, size_t length,
                           size_t most)
{
    struct store_task *task = &record->task;
    struct buffer *log = &record->log;
    uint64_t written = task->log_dropped_bytes + task->log_bytes + length;
    size_t skipped = length > most ? length - most - 1 : 0; /* one more tells if a line starts */

    record->bytes -= log->capacity;
    if (log->length + (length - skipped) > 2 * most)
        forget_log_front(log, most);
    buffer_append(log, text + skipped, length - skipped);
    record->bytes += log->capacity;
    task->log_bytes = shown_bytes(log, most);
    task->log = log->bytes + log->length - task->log_bytes;
    task->log_dropped_bytes = written - task->log_bytes;
}

void memory_records_init(struct memory_records *list)
{
    TAILQ_INIT(&list->head);
    list->count = 0;
    list->bytes = 0;
}

void memory_records_push(struct memory_records *list, struct memory_record *record)
{
    assert(record->list == NULL);
    TAILQ_INSERT_TAIL(&list->head, record, link);
    record->list = list;
    list->count++;
    list->bytes += record->bytes;
}

void memory_record_unlink(struct memory_record *record)
{
    struct memory_records *list = record->list;

    if (list == NULL)
        return;
    TAILQ_REMOVE(&list->head, record, link);
    record->list = NULL;
    list->count--;
    list->bytes -= record->bytes;
}
