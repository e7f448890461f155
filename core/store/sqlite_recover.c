#include <string.h>

#include "store/sqlite.h"
#include "store/sqlite_reader.h"
#include "store/sqlite_write.h"
#include "support/log.h"

/* A job that is being read. */
struct reading {
    struct sqlite_reader *reader;
    struct sqlite_job *job;
    bool is_sound; /* what its rows say fits together */
};

struct range {
    uint32_t first, last;
};

static const struct range whole = {0, SQLITE_NUMBER_MOST};

static uint32_t row_number(sqlite3_stmt *row)
{
    return sqlite_place_number(sqlite3_column_int64(row, 0));
}

/* Calls note with each row of a statement that begins with a place in a range of a job's tasks. */
static bool each(struct reading *reading, enum sqlite_read name, struct range range,
                 void (*note)(struct reading *reading, sqlite3_stmt *row))
{
    sqlite3_stmt *rows = reading->reader->statements[name];
    uint64_t key = reading->job->key;
    int code;

    sqlite_read_bind(
        rows, 2, (const int64_t[]){sqlite_place(key, range.first), sqlite_place(key, range.last)});
    while ((code = sqlite3_step(rows)) == SQLITE_ROW)
        note(reading, rows);
    sqlite3_reset(rows);
    return code == SQLITE_DONE;
}

static void note_word(struct reading *reading, sqlite3_stmt *row, uint32_t word)
{
    uint32_t number = row_number(row);

    if (number < reading->job->words.count)
        sqlite_words_set(&reading->job->words, number, word);
    else
        reading->is_sound = false;
}

static void note_done(struct reading *reading, sqlite3_stmt *row)
{
    sqlite_words_clear(&reading->job->words, row_number(row) / SQLITE_WORDS_IN_BLOCK);
}

static void note_ended(struct reading *reading, sqlite3_stmt *row)
{
    note_word(reading, row, 0);
}

static void note_pending(struct reading *reading, sqlite3_stmt *row)
{
    uint32_t attempt = (uint32_t)sqlite3_column_int64(row, 1) & SQLITE_WORD_ATTEMPT;
    note_word(reading, row, attempt | SQLITE_WORD_PENDING);
}

static void note_log(struct reading *reading, sqlite3_stmt *row)
{
    uint32_t word = sqlite_words_get(&reading->job->words, row_number(row));
    if (word != 0)
        note_word(reading, row, word | SQLITE_WORD_LOG);
}

/* Takes out what has ended, looking only where not all has. */
static bool recover_ended(struct reading *reading)
{
    const struct sqlite_words *words = &reading->job->words;

    for (uint32_t block = 0; block < words->blocks_count; block++) {
        uint32_t first = block * SQLITE_WORDS_IN_BLOCK;
        struct range range = {first, first + SQLITE_WORDS_IN_BLOCK - 1};
        if (words->blocks[block] != NULL && !each(reading, SQLITE_READ_ENDED, range, note_ended))
            return false;
    }
    return true;
}

/* A number of tasks that the file made up could take all memory. */
static bool has_last_task(struct sqlite_reader *reader, uint64_t key)
{
    uint32_t count = reader->facts.tasks_count;
    return reader->facts.sparse || count == 0 ||
           sqlite_read_chunk(reader, sqlite_place(key, count - 1));
}

static bool recover_words(struct reading *reading)
{
    const struct sqlite_facts *facts = &reading->reader->facts;
    struct sqlite_words *words = &reading->job->words;

    if (!has_last_task(reading->reader, reading->job->key))
        return false;
    sqlite_words_add(words, facts->tasks_count, facts->sparse ? 0 : 1);
    bool right = ((facts->extras & SQLITE_HAS_DONE) == 0 ||
                  each(reading, SQLITE_READ_DONE_ALL, whole, note_done)) &&
                 (facts->sparse || recover_ended(reading)) &&
                 ((facts->extras & SQLITE_HAS_PENDING) == 0 ||
                  each(reading, SQLITE_READ_PENDING, whole, note_pending)) &&
                 ((facts->extras & SQLITE_HAS_LOG) == 0 ||
                  each(reading, SQLITE_READ_LOG_ALL, whole, note_log));
    reading->is_sound = reading->is_sound && words->used == facts->by_state[STORE_UNFINISHED];
    return right;
}

static bool recover_job(struct sqlite *sqlite, struct sqlite_reader *reader)
{
    struct sqlite_job *job = sqlite_job_create(&reader->job.given, reader->job.key);
    struct reading reading = {.reader = reader, .job = job, .is_sound = true};

    job->sealed = reader->facts.sealed;
    job->row.now = (struct sqlite_state){.facts = reader->facts, .is_there = true};
    job->row.durable = job->row.now;
    sqlite_index_add(&sqlite->index, job);
    bool right = recover_words(&reading);
    if (right && !reading.is_sound)
        log_error("what the store has of a job does not fit together: see `sluice fsck'",
                  LOG_TEXT("job", job->given.id));
    return right;
}

static bool recover_jobs(struct sqlite *sqlite, struct sqlite_reader *reader)
{
    sqlite3_stmt *row = reader->statements[SQLITE_READ_JOBS_OPEN];
    int code;

    SQLITE_READ_BIND(reader, JOBS_OPEN, 0);
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        sqlite_read_job(reader, row);
        if (!recover_job(sqlite, reader))
            return false;
    }
    return code == SQLITE_DONE;
}

/* Keys that no task can have, in a damaged file, are held by nobody. */
static void recover_claim(struct sqlite *sqlite, const char *key, const char *id)
{
    if (key != NULL && id != NULL && strlen(key) <= STORE_KEY_MOST_BYTES &&
        strlen(id) < STORE_HOLDER_BYTES)
        claims_add(&sqlite->index.claims, key, id);
}

static bool recover_claims(struct sqlite *sqlite, struct sqlite_reader *reader)
{
    sqlite3_stmt *row = reader->statements[SQLITE_READ_CLAIMS];
    int code;

    while ((code = sqlite3_step(row)) == SQLITE_ROW)
        recover_claim(sqlite, (const char *)sqlite3_column_text(row, 0),
                      (const char *)sqlite3_column_text(row, 1));
    return code == SQLITE_DONE;
}

/* Makes the new epoch durable. */
static bool begin_epoch(struct sqlite *sqlite, sqlite3 *db, struct error *error)
{
    struct sqlite_meta meta;

    static const char text[] = "UPDATE meta SET epoch = epoch + 1, next_key = max(next_key,"
                               " (SELECT coalesce(max(key), 0) + 1 FROM job))";

    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_file_failed(db, sqlite->path, "cannot open the store", error);
    if (!sqlite_meta_read(db, &meta, error))
        return false;
    sqlite->store.epoch = meta.epoch;
    sqlite->index.next_key = meta.next_key;
    return true;
}

bool sqlite_recover(struct sqlite *sqlite, sqlite3 *db, struct error *error)
{
    if (!begin_epoch(sqlite, db, error))
        return false;
    struct sqlite_reader *reader = sqlite_reader_create(sqlite, db, error);
    if (reader == NULL)
        return false;
    bool right = (recover_jobs(sqlite, reader) && recover_claims(sqlite, reader)) ||
                 sqlite_file_failed(db, sqlite->path, "cannot read the store", error);
    sqlite_reader_destroy(&reader);
    return right;
}
