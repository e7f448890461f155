/* A store in a file of SQLite's: what was said to be durable survives the process and the power.
 * sqlite.h tells how it works. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/sqlite.h"
#include "support/memory.h"

static void sqlite_free(struct sqlite *sqlite)
{
    ledger_destroy(&sqlite->ledger);
    sqlite_readers_destroy(&sqlite->readers);
    sqlite_index_fini(&sqlite->index);
    sqlite_queue_fini(&sqlite->queue);
    buffer_fini(&sqlite->scratch);
    mutex_fini(&sqlite->lock);
    if (sqlite->lock_fd >= 0)
        close(sqlite->lock_fd); /* last: the next one may open the file now */
    free(sqlite->path);
    free(sqlite);
}

static struct sqlite *sqlite_make(const struct store_options *options)
{
    struct sqlite *sqlite = memory_grow(NULL, 1, sizeof(*sqlite));

    *sqlite = (struct sqlite){
        .store = {.backend = &store_sqlite, .options = *options},
        .path = strdup(options->place),
        .lock_fd = -1,
    };
    if (sqlite->path == NULL)
        abort();
    mutex_init(&sqlite->lock);
    sqlite_index_init(&sqlite->index);
    sqlite_queue_init(&sqlite->queue);
    return sqlite;
}

/* Opens the writer's connection and reads what is unfinished. */
static bool open_writing(struct sqlite *sqlite, struct error *error)
{
    sqlite->lock_fd = sqlite_file_lock(sqlite->path, sqlite->store.options.watched_by, error);
    if (sqlite->lock_fd < 0 || !sqlite_file_make(sqlite->path, error))
        return false;
    sqlite3 *db = sqlite_file_open(sqlite->path, error);
    if (db == NULL)
        return false;
    if (!sqlite_file_prepare(db, sqlite->path, error) || !sqlite_recover(sqlite, db, error)) {
        sqlite3_close(db);
        return false;
    }
    sqlite->ledger = ledger_create(sqlite, db, error);
    return sqlite->ledger != NULL;
}

static bool open_reading(struct sqlite *sqlite, struct error *error)
{
    sqlite->readers = sqlite_reader_open(sqlite, error);
    return sqlite->readers != NULL;
}

static struct store *sqlite_open(const struct store_options *options, struct error *error)
{
    if (options->place == NULL) {
        error_set(error, "store_open", "the sqlite store needs the path of its file");
        return NULL;
    }
    struct sqlite *sqlite = sqlite_make(options);
    if (open_writing(sqlite, error) && open_reading(sqlite, error))
        return &sqlite->store;
    sqlite_free(sqlite);
    return NULL;
}

static void sqlite_close(struct store *store)
{
    sqlite_free((struct sqlite *)store);
}

static bool sqlite_commit(struct store *store, struct error *error)
{
    return ledger_sync(((struct sqlite *)store)->ledger, error);
}

static void sqlite_when_durable(struct store *store, struct store_wait *wait)
{
    ledger_when_durable(((struct sqlite *)store)->ledger, wait);
}

static void sqlite_wait_no_more(struct store *store)
{
    ledger_wait_no_more(((struct sqlite *)store)->ledger);
}

/* No key is ever given twice. */
static bool has_keys(struct sqlite *sqlite, struct error *error)
{
    MUTEX_GUARD(&sqlite->lock);
    return sqlite->index.next_key < SQLITE_KEY_MOST - SQLITE_KEYS_IN_HAND ||
           error_set(error, "store_used_up",
                     "%s has had %llu jobs, and can have no more: begin a new one", sqlite->path,
                     (unsigned long long)sqlite->index.next_key);
}

static bool sqlite_is_well(struct store *store, struct error *error)
{
    if (!has_keys((struct sqlite *)store, error))
        return false;
    return ledger_is_well(((struct sqlite *)store)->ledger, error);
}

static struct histogram_total *sqlite_commit_times(struct store *store)
{
    return ledger_commit_times(((struct sqlite *)store)->ledger);
}

static bool sqlite_visit_claims(struct store *store, store_visit_claim *visit, void *context,
                                struct error *error)
{
    struct sqlite *sqlite = (struct sqlite *)store;

    (void)error;
    MUTEX_GUARD(&sqlite->lock);
    claims_visit(&sqlite->index.claims, visit, context);
    return true;
}

static bool sqlite_count(struct store *store, struct store_counts *counts, struct error *error)
{
    (void)error;
    ledger_count(((struct sqlite *)store)->ledger, counts);
    return true;
}

const struct store_backend store_sqlite = {
    .name = "sqlite",
    .borrows = false,
    .open = sqlite_open,
    .close = sqlite_close,
    .add_job = sqlite_add_job,
    .add_tasks = sqlite_add_tasks,
    .add_wholes = sqlite_add_wholes,
    .seal_job = sqlite_seal_job,
    .end = sqlite_end,
    .retry = sqlite_retry,
    .write_log = sqlite_write_log,
    .commit = sqlite_commit,
    .when_durable = sqlite_when_durable,
    .wait_no_more = sqlite_wait_no_more,
    .is_well = sqlite_is_well,
    .forget_job = sqlite_forget_job,
    .stop_job = sqlite_stop_job,
    .visit = sqlite_visit,
    .recall = sqlite_recall,
    .visit_due = sqlite_visit_due,
    .visit_jobs = sqlite_visit_jobs,
    .find_job = sqlite_find_job,
    .visit_dead_types = sqlite_visit_dead_types,
    .requeue = sqlite_requeue,
    .requeue_at = sqlite_requeue_at,
    .drop = sqlite_drop,
    .prune = sqlite_prune,
    .set_finished_max = sqlite_set_finished_max,
    .claim = sqlite_claim,
    .release = sqlite_release,
    .visit_claims = sqlite_visit_claims,
    .commit_times = sqlite_commit_times,
    .count = sqlite_count,
};
