/* Dead letters that become tasks again. */
#include <stdlib.h>

#include "store/sqlite_ended.h"
#include "store/sqlite_reader.h"
#include "support/memory.h"

struct requeue {
    struct ledger_order order;
    const struct sqlite_places *places;
    struct sqlite_places done; /* of them, each with the number of its next attempt behind it */
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
    struct sqlite_found found;

    if (!sqlite_find_ended(writer, place, &found))
        return false;
    if (found.row == NULL || sqlite_class_of(found.state) != SQLITE_DEAD)
        return true;
    if (!revive(requeue, writer, &found.row))
        return false;
    struct sqlite_facts *facts = &found.row->now.facts;
    if (!sqlite_pending_write(writer, place, found.attempt + 1) ||
        !sqlite_take_out(writer, place, &found) ||
        !SQLITE_RUN(writer, ENDED_DELETE, place, place) ||
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

static bool visit_done(struct store *store, const struct sqlite_places *done,
                       store_visit_task *visit, void *context, struct error *error)
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

static bool requeue(struct store *store, const struct sqlite_places *places,
                    store_visit_task *visit, void *context, struct error *error)
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
    struct sqlite_places places = {0};
    bool right = sqlite_visit(store, query, sqlite_note_place, &places, error) &&
                 requeue(store, &places, visit, context, error);

    free(places.at);
    return right;
}

bool sqlite_requeue_at(struct store *store, const struct store_places *places,
                       store_visit_task *visit, void *context, struct error *error)
{
    struct sqlite_places found = {.at = memory_grow(NULL, places->count, sizeof(int64_t))};

    for (size_t i = 0; i < places->count; i++)
        if (sqlite_place_exists(places->at[i].job, places->at[i].number))
            found.at[found.count++] = sqlite_place(places->at[i].job, places->at[i].number);
    bool right = requeue(store, &found, visit, context, error);
    free(found.at);
    return right;
}
