#include <string.h>

#include "store/sqlite.h"
#include "store/sqlite_reader.h"
#include "store/sqlite_write.h"

static uint32_t row_number(sqlite3_stmt *row)
{
    return (uint32_t)sqlite3_column_int64(row, 0);
}

struct range {
    uint32_t first, last;
};

static const struct range whole = {0, UINT32_MAX};

/* Calls note with each row of a statement that begins with a place in a range of a job's tasks. */
static bool each(struct sqlite_job *job, sqlite3_stmt *rows, struct range range,
                 void (*note)(struct sqlite_job *job, sqlite3_stmt *row))
{
    int code;

    sqlite_read_bind(
        rows, 2,
        (const int64_t[]){sqlite_place(job->key, range.first), sqlite_place(job->key, range.last)});
    while ((code = sqlite3_step(rows)) == SQLITE_ROW)
        note(job, rows);
    sqlite3_reset(rows);
    return code == SQLITE_DONE;
}

static void note_done(struct sqlite_job *job, sqlite3_stmt *row)
{
    sqlite_words_clear(&job->words, row_number(row) / SQLITE_WORDS_IN_BLOCK);
}

static void note_ended(struct sqlite_job *job, sqlite3_stmt *row)
{
    sqlite_words_set(&job->words, row_number(row), 0);
}

static void note_pending(struct sqlite_job *job, sqlite3_stmt *row)
{
    sqlite_words_set(&job->words, row_number(row),
                     (uint32_t)sqlite3_column_int64(row, 1) | SQLITE_WORD_PENDING);
}

static void note_log(struct sqlite_job *job, sqlite3_stmt *row)
{
    uint32_t number = row_number(row), word = sqlite_words_get(&job->words, number);
    if (word != 0)
        sqlite_words_set(&job->words, number, word | SQLITE_WORD_LOG);
}

/* Takes out what has ended, looking only where not all has. */
static bool recover_ended(struct sqlite_reader *reader, struct sqlite_job *job)
{
    sqlite3_stmt *rows = reader->statements[SQLITE_READ_ENDED];

    for (uint32_t block = 0; block < job->words.blocks_count; block++) {
        uint32_t first = block * SQLITE_WORDS_IN_BLOCK;
        struct range range = {first, first + SQLITE_WORDS_IN_BLOCK - 1};
        if (job->words.blocks[block] != NULL && !each(job, rows, range, note_ended))
            return false;
    }
    return true;
}

static bool recover_words(struct sqlite_reader *reader, struct sqlite_job *job)
{
    const struct sqlite_facts *facts = &reader->facts;
    sqlite3_stmt **reads = reader->statements;

    sqlite_words_add(&job->words, facts->tasks_count, facts->sparse ? 0 : 1);
    return ((facts->extras & SQLITE_HAS_DONE) == 0 ||
            each(job, reads[SQLITE_READ_DONE_ALL], whole, note_done)) &&
           (facts->sparse || recover_ended(reader, job)) &&
           ((facts->extras & SQLITE_HAS_PENDING) == 0 ||
            each(job, reads[SQLITE_READ_PENDING], whole, note_pending)) &&
           ((facts->extras & SQLITE_HAS_LOG) == 0 ||
            each(job, reads[SQLITE_READ_LOG_ALL], whole, note_log));
}

static bool recover_jobs(struct sqlite *sqlite, struct sqlite_reader *reader)
{
    sqlite3_stmt *row = reader->statements[SQLITE_READ_JOBS_OPEN];
    int code;

    SQLITE_READ_BIND(reader, JOBS_OPEN, 0);
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        sqlite_read_job(reader, row);
        struct sqlite_job *job = sqlite_job_create(&reader->job.given, reader->job.key);
        job->sealed = reader->facts.sealed;
        job->row.now = (struct sqlite_state){.facts = reader->facts, .is_there = true};
        job->row.durable = job->row.now;
        sqlite_index_add(&sqlite->index, job);
        if (!recover_words(reader, job))
            return false;
    }
    return code == SQLITE_DONE;
}

static bool recover_claims(struct sqlite *sqlite, struct sqlite_reader *reader)
{
    sqlite3_stmt *row = reader->statements[SQLITE_READ_CLAIMS];
    int code;

    while ((code = sqlite3_step(row)) == SQLITE_ROW)
        claims_add(&sqlite->index.claims, (const char *)sqlite3_column_text(row, 0),
                   (const char *)sqlite3_column_text(row, 1));
    return code == SQLITE_DONE;
}

/* Makes the new epoch durable. */
static bool begin_epoch(struct sqlite *sqlite, sqlite3 *db, struct error *error)
{
    struct sqlite_meta meta;

    if (sqlite3_exec(db, "UPDATE meta SET epoch = epoch + 1", NULL, NULL, NULL) != SQLITE_OK)
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
