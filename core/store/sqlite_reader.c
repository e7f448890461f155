#include "store/sqlite_reader.h"

#include <stdlib.h>
#include <string.h>

#include "store/sqlite.h"
#include "store/sqlite_log.h"
#include "support/memory.h"

/* Their facts follow. */
#define JOB                                                                                        \
    "key, id, name, file, document, submitted, max_weight, fail_fast, origin, tasks, sealed,"      \
    " stopped, over, sparse, extras, kept, over_seq, last_end, chunk_bytes, unfinished, "          \
    "succeeded, failed,"                                                                           \
    " timed_out, crashed, cancelled, skipped"
#define ENDED                                                                                      \
    "e.place, e.seq, e.state, e.attempt, e.charged, e.started, e.ended, e.reason, e.message,"      \
    " e.outputs, e.attempts"
#define PENDING "place, attempt, charged, due, attempts"

static const char *const read_texts[SQLITE_READ_COUNT] = {
#define READ(name, sql) [SQLITE_READ_##name] = sql,
#include "store/sqlite_reads.def"
#undef READ
};

struct sqlite_reader *sqlite_reader_create(const struct sqlite *sqlite, sqlite3 *db,
                                           struct error *error)
{
    struct sqlite_reader *reader = memory_grow(NULL, 1, sizeof(*reader));

    *reader = (struct sqlite_reader){.sqlite = sqlite, .db = db, .chunk_place = -1};
    for (int i = 0; i < SQLITE_READ_COUNT; i++)
        if (sqlite3_prepare_v3(db, read_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &reader->statements[i], NULL) != SQLITE_OK) {
            sqlite_file_failed(db, sqlite->path, "cannot read the store", error);
            sqlite_reader_destroy(&reader);
            break;
        }
    return reader;
}

struct sqlite_reader *sqlite_reader_open(const struct sqlite *sqlite, struct error *error)
{
    sqlite3 *db = sqlite_file_open(sqlite->path, error);
    struct sqlite_reader *reader = db == NULL ? NULL : sqlite_reader_create(sqlite, db, error);

    if (reader == NULL)
        sqlite3_close(db);
    else
        reader->owns_db = true;
    return reader;
}

void sqlite_readers_destroy(struct sqlite_reader **readers)
{
    for (struct sqlite_reader *reader; (reader = *readers) != NULL;) {
        *readers = reader->next;
        sqlite_reader_destroy(&reader);
    }
}

void sqlite_reader_destroy(struct sqlite_reader **place)
{
    struct sqlite_reader *reader = *place;

    *place = NULL;
    if (reader == NULL)
        return;
    for (int i = 0; i < SQLITE_READ_COUNT; i++)
        sqlite3_finalize(reader->statements[i]);
    sqlite_record_task_fini(&reader->record);
    buffer_fini(&reader->chunk);
    memory_ids_fini(&reader->ids);
    if (reader->owns_db)
        sqlite3_close(reader->db);
    free(reader);
}

void sqlite_read_bind(sqlite3_stmt *statement, size_t count, const int64_t *numbers)
{
    sqlite3_reset(statement);
    for (size_t i = 0; i < count; i++)
        sqlite3_bind_int64(statement, (int)i + 1, numbers[i]);
}

void sqlite_read_reset(struct sqlite_reader *reader)
{
    for (int i = 0; i < SQLITE_READ_COUNT; i++)
        sqlite3_reset(reader->statements[i]);
    reader->job.key = 0;
}

/* In a damaged file there may be none. */
static const char *text_of(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text == NULL ? "" : text;
}

void sqlite_read_job(struct sqlite_reader *reader, sqlite3_stmt *row)
{
    enum { FACTS_FROM = 9 };
    struct store_job *job = &reader->job;

    sqlite_facts_read(row, FACTS_FROM, &reader->facts);
    job->key = (uint64_t)sqlite3_column_int64(row, 0);
    job->given = (struct store_job_given){
        .id = text_of(row, 1),
        .name = text_of(row, 2),
        .file = text_of(row, 3),
        .document = (uint32_t)sqlite3_column_int64(row, 4),
        .submitted_wall_ns = sqlite3_column_int64(row, 5),
        .max_weight = sqlite3_column_int(row, 6),
        .fail_fast = sqlite3_column_int(row, 7) != 0,
        .origin = (const char *)sqlite3_column_text(row, 8),
    };
    job->tasks_count = reader->facts.tasks_count;
    job->sealed = reader->facts.sealed;
    job->stopped = reader->facts.stopped;
    memcpy(job->by_state, reader->facts.by_state, sizeof(job->by_state));
}

bool sqlite_read_job_find(struct sqlite_reader *reader, uint64_t key)
{
    sqlite3_stmt *row = reader->statements[SQLITE_READ_JOB];

    if (reader->job.key == key && key != 0)
        return true;
    reader->job.key = 0;
    SQLITE_READ_BIND(reader, JOB, (int64_t)key);
    if (sqlite3_step(row) != SQLITE_ROW)
        return false;
    sqlite_read_job(reader, row);
    return true;
}

static void chunk_rewind(struct sqlite_reader *reader)
{
    reader->at = sqlite_record_read(reader->chunk.bytes, reader->chunk.length);
    reader->chunk_next = 0;
}

static bool chunk_has(const struct sqlite_reader *reader, int64_t place)
{
    return reader->chunk_place >= 0 && place >= reader->chunk_place &&
           place - reader->chunk_place < reader->chunk_count;
}

bool sqlite_read_chunk(struct sqlite_reader *reader, int64_t place)
{
    sqlite3_stmt *row = reader->statements[SQLITE_READ_CHUNK];

    if (chunk_has(reader, place))
        return true;
    reader->chunk_place = -1;
    SQLITE_READ_BIND(reader, CHUNK, place);
    if (sqlite3_step(row) != SQLITE_ROW)
        return false;
    reader->chunk.length = 0;
    buffer_append(&reader->chunk, sqlite3_column_blob(row, 1),
                  (size_t)sqlite3_column_bytes(row, 1));
    reader->chunk_place = sqlite3_column_int64(row, 0);
    sqlite3_reset(row);
    chunk_rewind(reader);
    for (reader->chunk_count = 0; sqlite_record_skip_task(&reader->at);)
        reader->chunk_count++;
    chunk_rewind(reader);
    return chunk_has(reader, place);
}

/* Makes a task of a chunk the one at hand. */
static bool read_record(struct sqlite_reader *reader, int64_t place)
{
    if (!sqlite_read_chunk(reader, place))
        return false;
    uint32_t index = (uint32_t)(place - reader->chunk_place);
    if (index < reader->chunk_next)
        chunk_rewind(reader);
    for (; reader->chunk_next < index; reader->chunk_next++)
        sqlite_record_skip_task(&reader->at);
    reader->chunk_next++;
    return sqlite_record_next_task(&reader->at, &reader->record);
}

const char *sqlite_reader_type(struct sqlite_reader *reader, int64_t place)
{
    return read_record(reader, place) ? reader->record.given.type : "";
}

void sqlite_read_ids(struct sqlite_reader *reader)
{
    uint32_t count = reader->job.tasks_count;
    int64_t first = sqlite_place(reader->job.key, 0);

    if (reader->ids_key != reader->job.key) {
        memory_ids_fini(&reader->ids);
        reader->ids_key = reader->job.key;
    }
    for (uint32_t number = reader->ids.next_number; number < count; number++) {
        if (!read_record(reader, first + number))
            break;
        memory_ids_add(&reader->ids, number, reader->record.given.id, count);
    }
}

static void read_log(struct sqlite_reader *reader, int64_t place, struct store_task *task)
{
    sqlite3_stmt *row = reader->statements[SQLITE_READ_LOG];

    if ((reader->facts.extras & SQLITE_HAS_LOG) == 0)
        return;
    SQLITE_READ_BIND(reader, LOG, place);
    if (sqlite3_step(row) != SQLITE_ROW)
        return;
    const char *text = sqlite3_column_blob(row, 1);
    size_t length = (size_t)sqlite3_column_bytes(row, 1);
    size_t most = reader->sqlite->store.options.log_max_bytes;
    task->log_bytes = sqlite_log_shown(text, length, most);
    task->log = text + length - task->log_bytes;
    task->log_dropped_bytes = (uint64_t)sqlite3_column_int64(row, 0) - task->log_bytes;
}

bool sqlite_read_task(struct sqlite_reader *reader, int64_t place, struct store_task *task)
{
    if (!read_record(reader, place))
        return false;
    *task = (struct store_task){
        .job = &reader->job,
        .number = sqlite_place_number(place),
        .given = reader->record.given,
        .state = STORE_UNFINISHED,
        .epoch = reader->sqlite->store.epoch,
        .attempt = 1,
        .due_wall_ns = reader->record.due_wall_ns,
        .attempts = reader->attempts,
    };
    read_log(reader, place, task);
    return true;
}

static size_t read_attempts(struct sqlite_reader *reader, sqlite3_stmt *row, int column,
                            size_t most)
{
    return sqlite_record_attempts(sqlite3_column_blob(row, column),
                                  (size_t)sqlite3_column_bytes(row, column), reader->attempts,
                                  most);
}

void sqlite_read_ended(struct sqlite_reader *reader, sqlite3_stmt *row, struct store_task *task)
{
    size_t count = read_attempts(reader, row, 10, STORE_ATTEMPTS_MOST - 1);
    struct store_attempt *last = &reader->attempts[count];

    task->state = sqlite_state_read(row, 2);
    task->attempt = (uint32_t)sqlite3_column_int64(row, 3);
    task->charged = (uint32_t)sqlite3_column_int64(row, 4);
    task->due_wall_ns = 0;
    *last = (struct store_attempt){
        .attempt = task->attempt,
        .started_wall_ns = sqlite3_column_int64(row, 5),
        .ended_wall_ns = sqlite3_column_int64(row, 6),
        .reason = text_of(row, 7),
        .message = text_of(row, 8),
    };
    last->charged = last->started_wall_ns != 0;
    task->attempts_count = count + 1;
    task->outputs = sqlite3_column_blob(row, 9);
    task->outputs_bytes = (size_t)sqlite3_column_bytes(row, 9);
}

void sqlite_read_pending(struct sqlite_reader *reader, sqlite3_stmt *row, struct store_task *task)
{
    task->attempt = (uint32_t)sqlite3_column_int64(row, 1) & SQLITE_WORD_ATTEMPT;
    task->charged = (uint32_t)sqlite3_column_int64(row, 2);
    task->due_wall_ns = sqlite3_column_int64(row, 3);
    task->attempts_count = read_attempts(reader, row, 4, STORE_ATTEMPTS_MOST);
}

bool sqlite_read_is_kept(const struct sqlite_reader *reader, sqlite3_stmt *row)
{
    enum store_state state = sqlite_state_read(row, 2);
    bool is_dead = (STORE_DEAD_SET & STORE_SET(state)) != 0;
    return (uint64_t)sqlite3_column_int64(row, 1) >=
           reader->floors[is_dead ? SQLITE_DEAD : SQLITE_FINISHED];
}
