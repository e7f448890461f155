#include "accept/task_extra.h"

#include <string.h>

#include "accept/job.h"
#include "accept/late.h"

enum { VERSION = 1 };

enum part {
    PART_RETRY = 1,
    PART_UNIQUE = 2,
    PART_NEEDS = 4,
    PART_LATE = 8,
    PARTS_ALL = 15,
};

/* The machine is little endian, as its records are. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are written as they lie here");

#define PUT(out, value) buffer_append((out), &(value), sizeof(value))

static void put_needs(struct buffer *out, const struct job *job, const struct graph_needs *needs)
{
    uint32_t count = (uint32_t)needs->count;
    PUT(out, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = job_place_of(job, needs->tasks[i]);
        PUT(out, place);
    }
}

static void put_late(struct buffer *out, const struct task *task)
{
    uint32_t count;
    struct result **results = late_results(task, &count);
    PUT(out, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = job_place_of(task->job, results[i]->number);
        PUT(out, place);
    }
}

static void put_unique(struct buffer *out, const char *unique)
{
    uint32_t length = (uint32_t)strlen(unique);
    PUT(out, length);
    buffer_append(out, unique, length + 1);
}

static void put_retry(struct buffer *out, const struct sluice_retry *retry)
{
    PUT(out, retry->attempts);
    PUT(out, retry->backoff);
    PUT(out, retry->delay_ns);
    PUT(out, retry->max_delay_ns);
    PUT(out, retry->jitter);
}

static uint8_t own_parts(const struct task *task)
{
    return (uint8_t)((task->retry != NULL ? PART_RETRY : 0) |
                     (task->unique != NULL ? PART_UNIQUE : 0));
}

struct head {
    uint8_t when, parts;
    int64_t due_ns;
};

/* The head, and the parts that the task has to itself. */
static void put_task(struct buffer *out, const struct task *task, const struct head *head)
{
    uint8_t version = VERSION;
    PUT(out, version);
    PUT(out, head->when);
    PUT(out, head->parts);
    PUT(out, head->due_ns);
    if (task->retry != NULL)
        put_retry(out, task->retry);
    if (task->unique != NULL)
        put_unique(out, task->unique);
}

void task_extra_pack_dead(const void *handle, struct buffer *out)
{
    const struct task *task = handle;
    const struct head head = {.when = WHEN_SUCCESS, .parts = own_parts(task)};
    if (head.parts != 0)
        put_task(out, task, &head);
}

void task_extra_pack(const struct task *task, struct buffer *out)
{
    struct graph_needs needs = job_needs(task);
    const struct head head = {.when = task->when,
                              .parts =
                                  (uint8_t)(own_parts(task) | (needs.count > 0 ? PART_NEEDS : 0) |
                                            (task->late ? PART_LATE : 0)),
                              .due_ns = task->due_ns};
    if (head.parts == 0 && head.when == WHEN_SUCCESS && head.due_ns == 0)
        return;
    put_task(out, task, &head);
    if (needs.count > 0)
        put_needs(out, task->job, &needs);
    if (task->late)
        put_late(out, task);
}

/* ---- reading ---- */

struct reader {
    const char *at, *end;
    bool damaged;
};

/* Copies the next bytes; zeroes, and the record is damaged, if there are not so many. */
static void get(struct reader *reader, void *value, size_t bytes)
{
    reader->damaged = reader->damaged || (size_t)(reader->end - reader->at) < bytes;
    if (reader->damaged) {
        memset(value, 0, bytes);
        return;
    }
    memcpy(value, reader->at, bytes);
    reader->at += bytes;
}

/* Passes over bytes and returns where they are. */
static const char *pass(struct reader *reader, uint64_t bytes)
{
    const char *at = reader->at;
    reader->damaged = reader->damaged || (uint64_t)(reader->end - reader->at) < bytes;
    if (!reader->damaged)
        reader->at += bytes;
    return at;
}

static void get_retry(struct reader *reader, struct sluice_retry *retry)
{
    get(reader, &retry->attempts, sizeof retry->attempts);
    get(reader, &retry->backoff, sizeof retry->backoff);
    get(reader, &retry->delay_ns, sizeof retry->delay_ns);
    get(reader, &retry->max_delay_ns, sizeof retry->max_delay_ns);
    get(reader, &retry->jitter, sizeof retry->jitter);
}

static const char *get_unique(struct reader *reader)
{
    uint32_t length;
    get(reader, &length, sizeof length);
    const char *text = pass(reader, (uint64_t)length + 1);
    reader->damaged = reader->damaged || text[length] != '\0' || strlen(text) != length;
    return text;
}

static void get_places(struct reader *reader, struct task_extra_places *places)
{
    get(reader, &places->count, sizeof places->count);
    places->at = pass(reader, (uint64_t)places->count * sizeof(uint32_t));
}

bool task_extra_read(const void *record, size_t bytes, struct task_extra *extra)
{
    uint8_t version, when, parts;
    *extra = (struct task_extra){.when = WHEN_SUCCESS};
    if (bytes == 0)
        return true;
    struct reader reader = {.at = record, .end = (const char *)record + bytes};
    get(&reader, &version, sizeof version);
    get(&reader, &when, sizeof when);
    get(&reader, &parts, sizeof parts);
    get(&reader, &extra->due_ns, sizeof extra->due_ns);
    if (version != VERSION || when > WHEN_ALWAYS || (parts & ~PARTS_ALL) != 0)
        return false;
    extra->when = (enum task_when)when;
    extra->has_retry = (parts & PART_RETRY) != 0;
    if (extra->has_retry)
        get_retry(&reader, &extra->retry);
    if ((parts & PART_UNIQUE) != 0)
        extra->unique = get_unique(&reader);
    if ((parts & PART_NEEDS) != 0)
        get_places(&reader, &extra->needs);
    if ((parts & PART_LATE) != 0)
        get_places(&reader, &extra->late);
    return !reader.damaged && reader.at == reader.end;
}

uint32_t task_extra_place(const struct task_extra_places *places, uint32_t index)
{
    uint32_t place;
    memcpy(&place, places->at + index * sizeof place, sizeof place);
    return place;
}
