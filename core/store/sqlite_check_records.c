#include "store/sqlite_check_records.h"

#include <assert.h>
#include <stdio.h>

#include "store/sqlite_file.h"
#include "store/sqlite_place.h"
#include "store/sqlite_record.h"
#include "support/clock.h"

enum { GAP_MOST = 1000 * 1000 }; /* records that are made at once: their number may be damaged */

/* ?1: a place, ?2: the time. */
enum statement { IS_THERE, IS_UNFINISHED, COUNT, CHUNKS, PUT, END, STATEMENT_COUNT };

#define HAS_ENDED   "EXISTS(SELECT 1 FROM ended WHERE place = ?1)"
#define IS_PENDING  "EXISTS(SELECT 1 FROM pending WHERE place = ?1)"
#define PLACE_KEY   SQLITE_PLACE_KEY_SQL("?1")
#define JOB_OF(sql) "(SELECT " sql " FROM job WHERE key = " PLACE_KEY ")"

static const char *const texts[STATEMENT_COUNT] = {
    [IS_THERE] = "SELECT " JOB_OF("NOT sparse") " OR " HAS_ENDED " OR " IS_PENDING,
    [IS_UNFINISHED] = "SELECT (" JOB_OF("NOT sparse") " OR " IS_PENDING ") AND NOT " HAS_ENDED,
    [COUNT] = "SELECT (SELECT count(*) FROM ended WHERE place BETWEEN ?1 AND ?2) + (SELECT count(*)"
              " FROM pending p WHERE place BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM ended e"
              " WHERE e.place = p.place))",
    [CHUNKS] = "SELECT place, tasks FROM chunk WHERE place BETWEEN ?1 AND ?2 ORDER BY place",
    [PUT] = "INSERT OR REPLACE INTO chunk(place, tasks) VALUES(?1, ?2)",
    /* hidden: with seq 0 it is in no line and no dead letter, for nobody could try it again */
    [END] =
        "INSERT INTO ended(place, seq, state, attempt, charged, started, ended, reason, message)"
        " SELECT ?1, 0, 2, coalesce(max(attempt), 1), coalesce(max(charged), 0), 0, ?2,"
        " 'damaged', 'what it was is damaged in the store' FROM pending WHERE place = ?1",
};

static const char *const ends[] = {
    "UPDATE meta SET unfinished = unfinished - 1, delayed = delayed - (SELECT count(*) FROM pending"
    " WHERE place = ?1 AND due > 0)",
    "DELETE FROM pending WHERE place = ?1",
    /* 16: SQLITE_HAS_HIDDEN */
    "UPDATE job SET unfinished = unfinished - 1, failed = failed + 1, extras = extras | 16,"
    " last_end = ?2 WHERE key = " PLACE_KEY,
    "UPDATE meta SET over_next = over_next + 1, over_count = over_count + 1 WHERE " JOB_OF(
        "sealed AND unfinished = 0 AND NOT over"),
    "UPDATE job SET over = 1, sparse = 1, over_seq = (SELECT over_next - 1 FROM meta)"
    " WHERE key = " PLACE_KEY " AND sealed AND unfinished = 0 AND NOT over",
};

static_assert(SQLITE_HAS_HIDDEN == 16 && STORE_FAILED == 2, "the texts say so");

struct walk {
    sqlite3 *db;
    const struct store_check *check;
    struct sqlite_records *records;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    sqlite3_stmt *ends[sizeof(ends) / sizeof(ends[0])];
    int64_t now_ns;
    /* the job at hand */
    int64_t first; /* place of its first task */
    uint32_t tasks_count;
    bool sparse;
    struct buffer chunk; /* as it was */
    struct buffer mended;
    bool failed;
};

static bool mends(const struct walk *walk)
{
    return walk->check->mode == STORE_CHECK_MEND;
}

static void bind(sqlite3_stmt *statement, int64_t one, int64_t other)
{
    sqlite3_reset(statement);
    sqlite3_bind_int64(statement, 1, one);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_int64(statement, 2, other);
}

static int64_t ask(struct walk *walk, enum statement which, int64_t one, int64_t other)
{
    sqlite3_stmt *statement = walk->statements[which];

    bind(statement, one, other);
    bool right = sqlite3_step(statement) == SQLITE_ROW;
    int64_t answer = right ? sqlite3_column_int64(statement, 0) : 0;
    walk->failed = walk->failed || !right;
    sqlite3_reset(statement);
    return answer;
}

static void tell(struct walk *walk, sqlite3_stmt *statement, int64_t place)
{
    bind(statement, place, walk->now_ns);
    walk->failed = walk->failed || sqlite3_step(statement) != SQLITE_DONE;
    sqlite3_reset(statement);
}

static void put_chunk(struct walk *walk, int64_t place)
{
    sqlite3_stmt *put = walk->statements[PUT];

    sqlite3_reset(put);
    sqlite3_bind_int64(put, 1, place);
    sqlite3_bind_blob64(put, 2, walk->mended.bytes, walk->mended.length, SQLITE_STATIC);
    walk->failed = walk->failed || sqlite3_step(put) != SQLITE_DONE;
    sqlite3_reset(put);
    walk->mended.length = 0;
}

static void end_unfinished(struct walk *walk, int64_t place)
{
    if (ask(walk, IS_UNFINISHED, place, 0) == 0)
        return;
    tell(walk, walk->statements[END], place);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        tell(walk, walk->ends[i], place);
}

/* Adds a record that says nothing. */
static void put_nothing(struct walk *walk, int64_t place)
{
    char id[32];
    snprintf(id, sizeof(id), "damaged-%u", sqlite_place_number(place));
    sqlite_record_put_task(&walk->mended, &(struct store_task_given){.id = id, .type = ""}, 0);
}

/* No chunk has the tasks of a job from a number up to another. Of a job that was over once they may
 * have been forgotten. */
static void check_gap(struct walk *walk, uint32_t from, uint32_t to)
{
    int64_t place = walk->first + from, last = walk->first + to - 1;
    int64_t count = to <= from     ? 0
                    : walk->sparse ? ask(walk, COUNT, place, last)
                                   : (int64_t)to - from;

    walk->records->missing += (uint64_t)count;
    if (count > 0 && to - from > GAP_MOST)
        walk->records->left += (uint64_t)count;
    if (count == 0 || !mends(walk) || to - from > GAP_MOST)
        return;
    walk->mended.length = 0;
    for (int64_t chunk = place; place <= last && !walk->failed; place++) {
        put_nothing(walk, place);
        end_unfinished(walk, place);
        if (place == last || place - chunk == SQLITE_CHUNK_TASKS - 1) {
            put_chunk(walk, chunk);
            chunk = place + 1;
        }
    }
}

/* Looks at one record of a chunk; false if it is to be replaced. */
static bool check_record(struct walk *walk, struct sqlite_record_reader record,
                         struct sqlite_record_task *task, int64_t place)
{
    if (!sqlite_record_next_task(&record, task)) {
        bool is_there = ask(walk, IS_THERE, place, 0) != 0;
        walk->records->missing += is_there;
        if (is_there && mends(walk))
            end_unfinished(walk, place);
        return !is_there;
    }
    if (walk->check->is_usable == NULL || walk->check->is_usable(&task->given) ||
        ask(walk, IS_UNFINISHED, place, 0) == 0)
        return true;
    walk->records->unusable++;
    if (mends(walk))
        end_unfinished(walk, place);
    return true;
}

/* Looks at the records of the chunk; returns how many there are. */
static uint32_t check_chunk(struct walk *walk, int64_t place)
{
    struct sqlite_record_reader reader = sqlite_record_read(walk->chunk.bytes, walk->chunk.length);
    struct sqlite_record_task task = {0};
    int64_t end = walk->first + walk->tasks_count, at = place;
    bool is_right = true;

    walk->mended.length = 0;
    for (; at < end && !walk->failed; at++) {
        struct sqlite_record_reader record = reader;
        if (!sqlite_record_skip_task(&reader))
            break;
        bool stays = check_record(walk, record, &task, at);
        if (stays)
            buffer_append(&walk->mended, record.at, (size_t)(reader.at - record.at));
        else
            put_nothing(walk, at);
        is_right = is_right && stays;
    }
    sqlite_record_task_fini(&task);
    if (!is_right && mends(walk))
        put_chunk(walk, place);
    return (uint32_t)(at - place);
}

static void check_job(struct walk *walk)
{
    sqlite3_stmt *chunks = walk->statements[CHUNKS];
    uint32_t next = 0;
    int code = SQLITE_DONE;

    bind(chunks, walk->first, walk->first + (int64_t)walk->tasks_count - 1);
    while (!walk->failed && (code = sqlite3_step(chunks)) == SQLITE_ROW) {
        int64_t place = sqlite3_column_int64(chunks, 0);
        uint32_t number = (uint32_t)(place - walk->first);
        walk->chunk.length = 0; /* copied: the row is written while it is looked at */
        buffer_append(&walk->chunk, sqlite3_column_blob(chunks, 1),
                      (size_t)sqlite3_column_bytes(chunks, 1));
        check_gap(walk, next, number);
        next = number + check_chunk(walk, place);
    }
    walk->failed = walk->failed || code != SQLITE_DONE;
    sqlite3_reset(chunks);
    check_gap(walk, next, walk->tasks_count);
}

static bool prepare(struct walk *walk, const char *text, sqlite3_stmt **statement)
{
    return sqlite3_prepare_v2(walk->db, text, -1, statement, NULL) == SQLITE_OK;
}

static bool prepare_all(struct walk *walk)
{
    bool right = true;
    for (int i = 0; i < STATEMENT_COUNT && right; i++)
        right = prepare(walk, texts[i], &walk->statements[i]);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && right; i++)
        right = prepare(walk, ends[i], &walk->ends[i]);
    return right;
}

static void finalize_all(struct walk *walk)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(walk->statements[i]);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sqlite3_finalize(walk->ends[i]);
    buffer_fini(&walk->chunk);
    buffer_fini(&walk->mended);
}

static bool check_jobs(struct walk *walk)
{
    sqlite3_stmt *jobs = NULL;
    int code = SQLITE_DONE;
    bool right = prepare_all(walk) &&
                 prepare(walk, "SELECT key, tasks, sparse FROM job ORDER BY key", &jobs);

    while (right && !walk->failed && (code = sqlite3_step(jobs)) == SQLITE_ROW) {
        walk->first = sqlite_place((uint64_t)sqlite3_column_int64(jobs, 0), 0);
        walk->tasks_count = sqlite_tasks_believed(sqlite3_column_int64(jobs, 1));
        walk->sparse = sqlite3_column_int(jobs, 2) != 0;
        check_job(walk);
    }
    sqlite3_finalize(jobs);
    return right && !walk->failed && code == SQLITE_DONE;
}

bool sqlite_records_check(sqlite3 *db, const struct store_check *check,
                          struct sqlite_records *records)
{
    struct walk walk = {.db = db, .check = check, .records = records, .now_ns = clock_wall_ns()};
    *records = (struct sqlite_records){0};
    bool right = check_jobs(&walk);
    finalize_all(&walk);
    if (!mends(&walk))
        records->left = records->missing + records->unusable;
    return right;
}
