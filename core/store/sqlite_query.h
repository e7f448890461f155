/* sqlite_query: reads the file of store_sqlite: a reader has its statements over one connection,
 * and one chunk at hand. One thread at a time; what a visit sees is one moment of the file. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

#include "store/store.h"

struct sqlite;
struct sqlite_reader;

/* Makes one over a connection that stays the caller's; NULL with a message. */
struct sqlite_reader *sqlite_reader_create(const struct sqlite *sqlite, sqlite3 *db,
                                           struct error *error);

/* Makes one over a connection of its own; NULL with a message. */
struct sqlite_reader *sqlite_reader_open(const struct sqlite *sqlite, struct error *error);

/* Frees all readers of a list through their next. */
void sqlite_readers_destroy(struct sqlite_reader **readers);

/* Frees it; clears the pointer; accepts NULL. */
void sqlite_reader_destroy(struct sqlite_reader **reader);

/* Returns the type of a task, by its place; valid until the next call. "" if there is none. */
const char *sqlite_reader_type(struct sqlite_reader *reader, int64_t place);

enum { SQLITE_OLDER_MOST = 1024 };

/* Ended tasks, but dead letters, that ended before a time. */
struct sqlite_older {
    int64_t before_wall_ns;
    int64_t behind; /* the place of the last one that is known; 0: none */
    int64_t places[SQLITE_OLDER_MOST];
    size_t count;
};

/* Finds the next ones in the order of places; false with a message. */
bool sqlite_find_older(struct store *store, struct sqlite_older *older, struct error *error);

/* The calls of the backend that look. */
bool sqlite_visit(struct store *store, const struct store_query *query, store_visit_task *visit,
                  void *context, struct error *error);
/* As above. */
bool sqlite_recall(struct store *store, const struct store_places *places, store_visit_task *visit,
                   void *context, struct error *error);
/* As above. */
bool sqlite_visit_due(struct store *store, const struct store_due *due, store_visit_task *visit,
                      void *context, struct error *error);
/* As above. */
bool sqlite_visit_jobs(struct store *store, store_visit_job *visit, void *context,
                       struct error *error);
/* As above. */
bool sqlite_find_job(struct store *store, const char *id, store_visit_job *visit, void *context,
                     struct error *error);
/* As above. */
bool sqlite_visit_dead_types(struct store *store, store_visit_type *visit, void *context,
                             struct error *error);
