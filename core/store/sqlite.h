/* sqlite: the inside of store_sqlite, shared by its files alone.
 *
 * DESIGN. Calls that change something are answered from the index in memory, under `lock`, and
 * leave a record in the queue. One thread, the ledger, writes the records down in the order they
 * came, many in one transaction, and alone decides what is kept of what has ended. Nobody holds
 * `lock` while SQLite works. Calls that look wait until what was said before is written, and read
 * the file over a connection of their own; there are as many as have ever looked at the same time.
 * What changes dead letters and what is kept is an order to the ledger, which carries it out
 * between two transactions.
 *
 * The file says of a task that it has ended by a row in `ended`, and nothing else: a task of a
 * chunk without such a row is unfinished. A job that was over once is `sparse`: of its tasks those
 * with a row in `pending` are unfinished, since ended rows of it may be deleted already. */
#pragma once

#include "store/ledger.h"
#include "store/sqlite_index.h"
#include "store/sqlite_place.h"
#include "store/sqlite_query.h"
#include "store/sqlite_queue.h"
#include "store/store_backend.h"
#include "support/buffer.h"
#include "support/thread.h"

enum {
    SQLITE_QUEUE_MOST_BYTES = 64 * 1024 * 1024, /* said and not written; then callers wait */
    SQLITE_COMMIT_RECORDS = 1024,               /* in one transaction */
    SQLITE_COMMIT_BYTES = 8 * 1024 * 1024,
    SQLITE_KEYS_IN_HAND = 1024 * 1024, /* jobs on their way when no more are taken */
};

struct sqlite {
    struct store store;
    char *path;
    int lock_fd;
    struct mutex lock;
    struct sqlite_index index; /* guarded by lock, as are: */
    struct sqlite_queue queue;
    struct buffer scratch;
    struct ledger *ledger;
    struct sqlite_reader *readers; /* that nobody uses */
};

/* The calls of the backend that change something (sqlite_say.c). */
bool sqlite_add_job(struct store *store, const struct store_job_given *given, uint64_t *key,
                    struct error *error);
/* As above. */
bool sqlite_add_tasks(struct store *store, uint64_t job, const struct store_new_task *tasks,
                      size_t count, struct error *error);
/* As above. */
bool sqlite_add_wholes(struct store *store, struct store_whole *wholes, size_t count,
                       struct error *error);
/* As above. */
bool sqlite_seal_job(struct store *store, uint64_t job, struct error *error);
/* As above. */
bool sqlite_forget_job(struct store *store, uint64_t job, struct error *error);
/* As above. */
bool sqlite_stop_job(struct store *store, uint64_t job, struct error *error);
/* As above. */
bool sqlite_end(struct store *store, struct store_end *ends, size_t count, struct error *error);
/* As above. */
bool sqlite_retry(struct store *store, struct store_retry *retries, size_t count,
                  struct error *error);
/* As above. */
bool sqlite_write_log(struct store *store, struct store_written *written, size_t count,
                      struct error *error);
/* As above. */
bool sqlite_claim(struct store *store, const char *key, const char *id,
                  char holder[STORE_HOLDER_BYTES], struct error *error);
/* As above. */
bool sqlite_release(struct store *store, const char *key, const char *id, struct error *error);

/* The calls of the backend that change dead letters and what is kept (sqlite_requeue.c,
 * sqlite_forget.c). */
bool sqlite_requeue(struct store *store, const struct store_query *query, store_visit_task *visit,
                    void *context, struct error *error);
/* As above. */
bool sqlite_requeue_at(struct store *store, const struct store_places *places,
                       store_visit_task *visit, void *context, struct error *error);
/* As above. */
bool sqlite_drop(struct store *store, const struct store_query *query, uint64_t *count,
                 struct error *error);
/* As above. */
bool sqlite_prune(struct store *store, int64_t before_wall_ns, uint64_t *count,
                  struct error *error);
/* As above. */
void sqlite_set_finished_max(struct store *store, uint64_t finished_max);

/* Forgets or stops (that is the kind) a job that is not in the index, if there is one. */
bool sqlite_change_over(struct sqlite *sqlite, uint64_t key, enum sqlite_record_kind kind,
                        struct error *error);

/* Reads what is unfinished into the index, before anybody else knows the store. */
bool sqlite_recover(struct sqlite *sqlite, sqlite3 *db, struct error *error);
