#include "store/sqlite_query.h"

#include <string.h>

#include "store/sqlite.h"
#include "store/sqlite_reader.h"

/* Begins to look: all that was said is in the file, if the disk works, and stays as it is for this
 * reader. NULL with a message. */
static struct sqlite_reader *look(struct store *store, struct error *error)
{
    struct sqlite *sqlite = (struct sqlite *)store;

    ledger_sync(sqlite->ledger, NULL);
    mutex_lock(&sqlite->lock);
    struct sqlite_reader *reader = sqlite->readers;
    if (reader != NULL)
        sqlite->readers = reader->next;
    mutex_unlock(&sqlite->lock);
    if (reader == NULL)
        reader = sqlite_reader_open(sqlite, error);
    if (reader != NULL)
        sqlite3_step(reader->statements[SQLITE_READ_BEGIN]);
    return reader;
}

static bool look_end(struct store *store, struct sqlite_reader *reader, bool right)
{
    struct sqlite *sqlite = (struct sqlite *)store;

    sqlite_read_reset(reader);
    sqlite3_step(reader->statements[SQLITE_READ_END]);
    sqlite3_reset(reader->statements[SQLITE_READ_END]);
    MUTEX_GUARD(&sqlite->lock);
    reader->next = sqlite->readers;
    sqlite->readers = reader;
    return right;
}

bool sqlite_visit(struct store *store, const struct store_query *query, store_visit_task *visit,
                  void *context, struct error *error)
{
    struct sqlite_reader *reader = look(store, error);
    return reader != NULL &&
           look_end(store, reader, sqlite_read_tasks(reader, query, visit, context, error));
}

static bool read_failed(struct sqlite_reader *reader, int code, struct error *error)
{
    return code == SQLITE_ROW || code == SQLITE_DONE ||
           sqlite_file_failed(reader->db, reader->sqlite->path, "cannot read the store", error);
}

/* Fills in a task by its place, whatever its state; false if it is not to be found. */
static bool find_task(struct sqlite_reader *reader, int64_t place, struct store_task *task)
{
    sqlite3_stmt *ended = reader->statements[SQLITE_READ_ENDED];
    sqlite3_stmt *pending = reader->statements[SQLITE_READ_PENDING];

    if (!sqlite_read_job_find(reader, sqlite_place_key(place)) ||
        sqlite_place_number(place) >= reader->job.tasks_count ||
        !sqlite_read_task(reader, place, task))
        return false;
    SQLITE_READ_BIND(reader, ENDED, place, place);
    if (sqlite3_step(ended) == SQLITE_ROW) {
        sqlite_read_ended(reader, ended, task);
        return true;
    }
    SQLITE_READ_BIND(reader, PENDING, place, place);
    bool is_pending = sqlite3_step(pending) == SQLITE_ROW;
    if (is_pending)
        sqlite_read_pending(reader, pending, task);
    return is_pending || !reader->facts.sparse;
}

static bool find_at(struct sqlite_reader *reader, const struct store_position *at,
                    struct store_task *task)
{
    return sqlite_place_exists(at->job, at->number) &&
           find_task(reader, sqlite_place(at->job, at->number), task);
}

bool sqlite_recall(struct store *store, const struct store_places *places, store_visit_task *visit,
                   void *context, struct error *error)
{
    struct sqlite_reader *reader = look(store, error);
    struct store_task task;
    bool right = true;

    if (reader == NULL)
        return false;
    for (size_t i = 0; right && i < places->count; i++) {
        bool found = find_at(reader, &places->at[i], &task);
        right = read_failed(reader, sqlite3_errcode(reader->db), error);
        if (right && found && !visit(context, &task))
            break;
    }
    return look_end(store, reader, right);
}

bool sqlite_visit_due(struct store *store, const struct store_due *due, store_visit_task *visit,
                      void *context, struct error *error)
{
    struct sqlite_reader *reader = look(store, error);
    if (reader == NULL)
        return false;
    sqlite3_stmt *row = reader->statements[SQLITE_READ_DUE];
    int64_t after_ns = due->after == NULL ? 0 : due->after_wall_ns;
    int64_t after = due->after == NULL ? 0 : sqlite_place(due->after->job, due->after->number);
    struct store_task task;
    int code;

    SQLITE_READ_BIND(reader, DUE, due->until_wall_ns, after_ns, after, due->limit);
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        int64_t place = sqlite3_column_int64(row, 0);
        if (!sqlite_read_job_find(reader, sqlite_place_key(place)) ||
            !sqlite_read_task(reader, place, &task))
            continue;
        sqlite_read_pending(reader, row, &task);
        if (!visit(context, &task))
            break;
    }
    return look_end(store, reader, read_failed(reader, code, error));
}

bool sqlite_visit_jobs(struct store *store, store_visit_job *visit, void *context,
                       struct error *error)
{
    struct sqlite_reader *reader = look(store, error);
    if (reader == NULL)
        return false;
    sqlite3_stmt *row = reader->statements[SQLITE_READ_JOBS];
    int code;

    SQLITE_READ_BIND(reader, JOBS, 0);
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        sqlite_read_job(reader, row);
        if (!visit(context, &reader->job))
            break;
    }
    return look_end(store, reader, read_failed(reader, code, error));
}

bool sqlite_find_job(struct store *store, const char *id, store_visit_job *visit, void *context,
                     struct error *error)
{
    struct sqlite_reader *reader = look(store, error);
    if (reader == NULL)
        return false;
    sqlite3_stmt *row = reader->statements[SQLITE_READ_JOB_BY_ID];

    sqlite3_reset(row);
    sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
    int code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        sqlite_read_job(reader, row);
        visit(context, &reader->job);
    }
    return look_end(store, reader, read_failed(reader, code, error));
}

bool sqlite_visit_dead_types(struct store *store, store_visit_type *visit, void *context,
                             struct error *error)
{
    struct sqlite_reader *reader = look(store, error);
    if (reader == NULL)
        return false;
    sqlite3_stmt *row = reader->statements[SQLITE_READ_DEAD_TYPES];
    int code;

    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(row, 0);
        if (!visit(context, type == NULL ? "" : type, (uint64_t)sqlite3_column_int64(row, 1)))
            break;
    }
    return look_end(store, reader, read_failed(reader, code, error));
}

bool sqlite_find_older(struct store *store, struct sqlite_older *older, struct error *error)
{
    struct sqlite_reader *reader = look(store, error);
    if (reader == NULL)
        return false;
    sqlite3_stmt *row = reader->statements[SQLITE_READ_OLDER];
    int code;

    sqlite_read_floors(reader);
    SQLITE_READ_BIND(reader, OLDER, older->behind, older->before_wall_ns,
                     (int64_t)reader->floors[SQLITE_FINISHED], STORE_FAILED, STORE_CRASHED,
                     SQLITE_OLDER_MOST);
    for (older->count = 0; (code = sqlite3_step(row)) == SQLITE_ROW;)
        older->behind = older->places[older->count++] = sqlite3_column_int64(row, 0);
    return look_end(store, reader, read_failed(reader, code, error));
}
