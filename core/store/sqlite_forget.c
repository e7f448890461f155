/* What is kept of ended tasks and jobs, and is forgotten. */
#include <stdlib.h>

#include "store/sqlite_ended.h"
#include "store/sqlite_reader.h"

enum { FORGET_SLICE = 1024 }; /* tasks in one order */

struct forget {
    struct ledger_order order;
    const int64_t *places;
    size_t places_count;
    int64_t jobs_before_wall_ns; /* also jobs that were over before that; 0: none */
    uint64_t count;
};

/* What is forgotten of a job that is not over stays, hidden: it says that the task has ended. */
static bool forget_task(struct forget *forget, struct sqlite_writer *writer, int64_t place)
{
    struct sqlite_found found;

    if (!sqlite_find_ended(writer, place, &found))
        return false;
    if (found.row == NULL)
        return true;
    forget->count++;
    struct sqlite_facts *facts = &found.row->now.facts;
    if (!sqlite_take_out(writer, place, &found))
        return false;
    if (!facts->over) {
        facts->extras |= SQLITE_HAS_HIDDEN;
        return SQLITE_RUN(writer, ENDED_HIDE, place);
    }
    sqlite_row_settle(writer, found.row);
    return SQLITE_RUN(writer, ENDED_DELETE, place, place) &&
           SQLITE_RUN(writer, LOG_DELETE, place, place);
}

/* Sets writer->has_more if there are more. */
static bool forget_jobs(struct sqlite_writer *writer, int64_t before_wall_ns)
{
    sqlite3_stmt *select = writer->statements[SQLITE_JOB_OLDER_STATEMENT];
    bool found = true;

    for (int i = 0; found && i < FORGET_SLICE; i++) {
        sqlite3_bind_int64(select, 1, before_wall_ns);
        if (!sqlite_row_unkeep_first(writer, select, &found))
            return false;
    }
    writer->has_more |= found;
    return true;
}

static bool forget_slice(struct forget *forget, struct sqlite_writer *writer)
{
    for (size_t i = 0; i < forget->places_count; i++)
        if (!forget_task(forget, writer, forget->places[i]))
            return false;
    return true;
}

static bool forget_run(struct ledger_order *order, struct sqlite_writer *writer,
                       struct error *error)
{
    struct forget *forget = (struct forget *)order;
    bool goes_on;

    do {
        if (!sqlite_writer_begin(writer) || !forget_slice(forget, writer))
            return sqlite_writer_failed(writer, error);
        forget->places_count = 0;
        if (forget->jobs_before_wall_ns != 0 && !forget_jobs(writer, forget->jobs_before_wall_ns))
            return sqlite_writer_failed(writer, error);
        goes_on = writer->has_more && forget->jobs_before_wall_ns != 0;
        if (!sqlite_writer_commit(writer))
            return sqlite_writer_failed(writer, error);
    } while (goes_on);
    return true;
}

static bool forget(struct store *store, const int64_t *places, size_t count, uint64_t *done,
                   struct error *error)
{
    struct sqlite *sqlite = (struct sqlite *)store;

    while (count > 0) {
        size_t some = count < FORGET_SLICE ? count : FORGET_SLICE;
        struct forget slice = {
            .order = {.run = forget_run, .error = error}, .places = places, .places_count = some};
        if (!ledger_order(sqlite->ledger, &slice.order))
            return false;
        *done += slice.count;
        places += some;
        count -= some;
    }
    return true;
}

bool sqlite_drop(struct store *store, const struct store_query *query, uint64_t *count,
                 struct error *error)
{
    struct sqlite_places places = {0};
    bool right = sqlite_visit(store, query, sqlite_note_place, &places, error) &&
                 forget(store, places.at, places.count, count, error);

    free(places.at);
    return right;
}

bool sqlite_prune(struct store *store, int64_t before_wall_ns, uint64_t *count, struct error *error)
{
    struct sqlite *sqlite = (struct sqlite *)store;
    struct sqlite_older older = {.before_wall_ns = before_wall_ns};

    do {
        if (!sqlite_find_older(store, &older, error) ||
            !forget(store, older.places, older.count, count, error))
            return false;
    } while (older.count == SQLITE_OLDER_MOST);
    struct forget jobs = {.order = {.run = forget_run, .error = error},
                          .jobs_before_wall_ns = before_wall_ns};
    return ledger_order(sqlite->ledger, &jobs.order);
}

struct change_over {
    struct ledger_order order;
    uint64_t key;
    enum sqlite_record_kind kind; /* FORGET, or STOP */
};

static bool change_over_run(struct ledger_order *order, struct sqlite_writer *writer,
                            struct error *error)
{
    const struct change_over *change = (const struct change_over *)order;
    struct sqlite_row *row;

    if (!sqlite_writer_begin(writer) || !sqlite_row_get(writer, change->key, &row))
        return sqlite_writer_failed(writer, error);
    if (row != NULL) {
        sqlite_row_touch(writer, row);
        row->now.is_gone |= change->kind == SQLITE_RECORD_FORGET;
        row->now.facts.stopped |= change->kind == SQLITE_RECORD_STOP;
    }
    return sqlite_writer_commit(writer) || sqlite_writer_failed(writer, error);
}

bool sqlite_change_over(struct sqlite *sqlite, uint64_t key, enum sqlite_record_kind kind,
                        struct error *error)
{
    struct change_over change = {
        .order = {.run = change_over_run, .error = error}, .key = key, .kind = kind};
    return key == 0 || key > SQLITE_KEY_MOST || ledger_order(sqlite->ledger, &change.order);
}

/* Empty transactions trim, a slice each. */
static bool trim_run(struct ledger_order *order, struct sqlite_writer *writer, struct error *error)
{
    (void)order;
    do {
        if (!sqlite_writer_begin(writer) || !sqlite_writer_commit(writer))
            return sqlite_writer_failed(writer, error);
    } while (writer->has_more);
    return true;
}

void sqlite_set_finished_max(struct store *store, uint64_t finished_max)
{
    struct sqlite *sqlite = (struct sqlite *)store;
    struct ledger_order order = {.run = trim_run};

    mutex_lock(&sqlite->lock);
    sqlite->store.options.finished_max = finished_max;
    mutex_unlock(&sqlite->lock);
    ledger_order(sqlite->ledger, &order); /* if it fails, a later commit trims */
}
