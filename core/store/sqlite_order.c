#include <stdlib.h>
#include <string.h>

#include "store/sqlite.h"
#include "store/sqlite_reader.h"
#include "store/sqlite_write.h"
#include "support/memory.h"

enum { FORGET_SLICE = 1024 }; /* tasks in one order */

/* Ended tasks by their places. */
struct places {
    int64_t *at;
    size_t count;
};

static bool note_place(void *context, const struct store_task *task)
{
    struct places *places = context;

    if ((places->count & (places->count - 1)) == 0)
        places->at = memory_grow(places->at, places->count == 0 ? 1 : 2 * places->count,
                                 sizeof(places->at[0]));
    places->at[places->count++] = sqlite_place(task->job->key, task->number);
    return true;
}

/* An ended task as it is in the file. */
struct found {
    struct sqlite_row *row;
    uint64_t seq;
    enum store_state state;
    uint32_t attempt;
};

/* Finds an ended task that others may see; its attempts are put into writer->scratch. found->row is
 * NULL if there is none. */
static bool find_ended(struct sqlite_writer *writer, int64_t place, struct found *found)
{
    sqlite3_stmt *row = writer->statements[SQLITE_ENDED_SELECT_STATEMENT];
    bool right = true;

    *found = (struct found){0};
    sqlite3_bind_int64(row, 1, place);
    int code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        found->seq = (uint64_t)sqlite3_column_int64(row, 0);
        found->state = sqlite_state_read(row, 1);
        found->attempt = (uint32_t)sqlite3_column_int64(row, 2);
        if (found->seq >= writer->meta.lines[sqlite_class_of(found->state)].floor)
            right = sqlite_row_get(writer, sqlite_place_key(place), &found->row);
        sqlite_attempts_of_ended(writer, row);
    }
    sqlite3_reset(row);
    return right && (code == SQLITE_ROW || code == SQLITE_DONE);
}

/* Takes an ended task out of its line and of the dead letters. */
static bool take_out(struct sqlite_writer *writer, int64_t place, const struct found *found)
{
    enum sqlite_class class = sqlite_class_of(found->state);

    sqlite_row_touch(writer, found->row);
    found->row->now.facts.kept--;
    return sqlite_line_void(writer, class, found->seq) &&
           (class != SQLITE_DEAD || SQLITE_RUN(writer, DEAD_DELETE, place, place));
}

struct requeue {
    struct ledger_order order;
    const struct places *places;
    struct places done; /* of them, each with the number of its next attempt behind it */
    struct sqlite_job **revived;
    size_t revived_count;
};

/* A job that is over is not in the index: brings it back, with tasks that have all ended. */
static bool revive(struct requeue *requeue, struct sqlite_writer *writer, struct sqlite_row **row)
{
    struct sqlite *sqlite = writer->sqlite;
    struct sqlite_reader *reader = writer->reader;

    if ((*row)->job != NULL)
        return true;
    if (!sqlite_read_job_find(reader, (*row)->key))
        return false;
    struct sqlite_job *job = sqlite_job_create(&reader->job.given, (*row)->key);
    sqlite_read_reset(reader);
    job->sealed = true;
    sqlite_words_add(&job->words, (*row)->now.facts.tasks_count, 0);
    sqlite_row_replace(writer, *row, &job->row);
    *row = &job->row;
    mutex_lock(&sqlite->lock);
    sqlite_index_add(&sqlite->index, job);
    mutex_unlock(&sqlite->lock);
    requeue->revived =
        memory_grow(requeue->revived, requeue->revived_count + 1, sizeof(requeue->revived[0]));
    requeue->revived[requeue->revived_count++] = job;
    return true;
}

static bool requeue_task(struct requeue *requeue, struct sqlite_writer *writer, int64_t place)
{
    struct found found;

    if (!find_ended(writer, place, &found))
        return false;
    if (found.row == NULL || sqlite_class_of(found.state) != SQLITE_DEAD)
        return true;
    if (!revive(requeue, writer, &found.row))
        return false;
    struct sqlite_facts *facts = &found.row->now.facts;
    if (!sqlite_pending_write(writer, place, found.attempt + 1) ||
        !take_out(writer, place, &found) || !SQLITE_RUN(writer, ENDED_DELETE, place, place) ||
        !SQLITE_RUN(writer, DONE_DELETE, place - place % SQLITE_WORDS_IN_BLOCK, place))
        return false;
    facts->by_state[found.state]--;
    facts->by_state[STORE_UNFINISHED]++;
    writer->meta.held[STORE_UNFINISHED]++;
    facts->extras |= SQLITE_HAS_PENDING;
    facts->over = false;
    facts->stopped = false;
    sqlite_row_unkeep(writer, found.row);
    requeue->done.at = memory_grow(requeue->done.at, requeue->done.count + 2, sizeof(int64_t));
    requeue->done.at[requeue->done.count++] = place;
    requeue->done.at[requeue->done.count++] = found.attempt + 1;
    return true;
}

/* Makes the tasks unfinished ones in the index. */
static void requeue_publish(struct requeue *requeue, struct sqlite *sqlite)
{
    MUTEX_GUARD(&sqlite->lock);
    for (size_t i = 0; i < requeue->done.count; i += 2) {
        int64_t place = requeue->done.at[i];
        struct sqlite_job *job = sqlite_index_find(&sqlite->index, sqlite_place_key(place));
        if (job == NULL)
            continue; /* it was forgotten since */
        sqlite_words_set(&job->words, sqlite_place_number(place),
                         (uint32_t)requeue->done.at[i + 1] | SQLITE_WORD_PENDING | SQLITE_WORD_LOG);
    }
}

/* Something may have been said of the job since it was there again: then a record names it, and the
 * ledger frees it when that is written. */
static void unrevive(struct sqlite *sqlite, struct sqlite_job *job)
{
    if (!job->is_out)
        sqlite_index_remove(&sqlite->index, job);
    if (job->said_at == 0)
        sqlite_job_destroy(&job);
}

static void requeue_undo(struct requeue *requeue, struct sqlite_writer *writer)
{
    struct sqlite *sqlite = writer->sqlite;

    sqlite_writer_undo(writer);
    MUTEX_GUARD(&sqlite->lock);
    for (size_t i = 0; i < requeue->revived_count; i++)
        unrevive(sqlite, requeue->revived[i]);
}

static bool requeue_run(struct ledger_order *order, struct sqlite_writer *writer,
                        struct error *error)
{
    struct requeue *requeue = (struct requeue *)order;
    bool right = sqlite_writer_begin(writer);

    for (size_t i = 0; right && i < requeue->places->count; i++)
        right = requeue_task(requeue, writer, requeue->places->at[i]);
    right = right && sqlite_writer_commit(writer);
    if (right) {
        requeue_publish(requeue, writer->sqlite);
    } else {
        sqlite_writer_failed(writer, error);
        requeue_undo(requeue, writer);
    }
    free(requeue->revived);
    return right;
}

static bool visit_done(struct store *store, const struct places *done, store_visit_task *visit,
                       void *context, struct error *error)
{
    struct store_position *at = memory_grow(NULL, done->count / 2 + 1, sizeof(at[0]));

    for (size_t i = 0; i < done->count / 2; i++) {
        int64_t place = done->at[2 * i];
        at[i] = (struct store_position){sqlite_place_key(place), sqlite_place_number(place)};
    }
    bool right =
        sqlite_recall(store, &(struct store_places){at, done->count / 2}, visit, context, error);
    free(at);
    return right;
}

static bool requeue(struct store *store, const struct places *places, store_visit_task *visit,
                    void *context, struct error *error)
{
    struct sqlite *sqlite = (struct sqlite *)store;
    struct requeue requeue = {.order = {.run = requeue_run, .error = error}, .places = places};
    bool right = places->count == 0 || ledger_order(sqlite->ledger, &requeue.order);

    right = right && visit_done(store, &requeue.done, visit, context, error);
    free(requeue.done.at);
    return right;
}

bool sqlite_requeue(struct store *store, const struct store_query *query, store_visit_task *visit,
                    void *context, struct error *error)
{
    struct places places = {0};
    bool right = sqlite_visit(store, query, note_place, &places, error) &&
                 requeue(store, &places, visit, context, error);

    free(places.at);
    return right;
}

bool sqlite_requeue_at(struct store *store, const struct store_places *places,
                       store_visit_task *visit, void *context, struct error *error)
{
    struct places found = {.at = memory_grow(NULL, places->count, sizeof(int64_t))};

    for (size_t i = 0; i < places->count; i++)
        if (sqlite_place_exists(places->at[i].job, places->at[i].number))
            found.at[found.count++] = sqlite_place(places->at[i].job, places->at[i].number);
    bool right = requeue(store, &found, visit, context, error);
    free(found.at);
    return right;
}

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
    struct found found;

    if (!find_ended(writer, place, &found))
        return false;
    if (found.row == NULL)
        return true;
    forget->count++;
    struct sqlite_facts *facts = &found.row->now.facts;
    if (!take_out(writer, place, &found))
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
    struct places places = {0};
    bool right = sqlite_visit(store, query, note_place, &places, error) &&
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
