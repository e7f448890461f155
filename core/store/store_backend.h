/* store_backend: what one kind of store implements; the contracts are those of store.h. Each
 * backend is one constant table, found by its name; struct store is the first member of its own. */
#pragma once

#include "store/store.h"

struct store {
    const struct store_backend *backend;
    struct store_options options;
    uint64_t epoch;
};

struct store_backend {
    const char *name;
    bool borrows;
    struct store *(*open)(const struct store_options *options, struct error *error);
    void (*close)(struct store *store);
    bool (*add_job)(struct store *store, const struct store_job_given *given, uint64_t *key,
                    struct error *error);
    bool (*add_tasks)(struct store *store, uint64_t job, const struct store_new_task *tasks,
                      size_t count, struct error *error);
    bool (*add_wholes)(struct store *store, struct store_whole *wholes, size_t count,
                       struct error *error);
    bool (*seal_job)(struct store *store, uint64_t job, struct error *error);
    bool (*end)(struct store *store, struct store_end *ends, size_t count, struct error *error);
    bool (*retry)(struct store *store, struct store_retry *retries, size_t count,
                  struct error *error);
    bool (*write_log)(struct store *store, struct store_written *written, size_t count,
                      struct error *error);
    bool (*commit)(struct store *store, struct error *error);
    void (*when_durable)(struct store *store, struct store_wait *wait);
    void (*wait_no_more)(struct store *store); /* NULL: it never waits */
    bool (*is_well)(struct store *store, struct error *error);
    bool (*forget_job)(struct store *store, uint64_t job, struct error *error);
    bool (*stop_job)(struct store *store, uint64_t job, struct error *error);
    bool (*visit)(struct store *store, const struct store_query *query, store_visit_task *visit,
                  void *context, struct error *error);
    bool (*recall)(struct store *store, const struct store_places *places, store_visit_task *visit,
                   void *context, struct error *error);
    bool (*visit_due)(struct store *store, const struct store_due *due, store_visit_task *visit,
                      void *context, struct error *error);
    bool (*visit_jobs)(struct store *store, store_visit_job *visit, void *context,
                       struct error *error);
    bool (*find_job)(struct store *store, const char *id, store_visit_job *visit, void *context,
                     struct error *error);
    bool (*visit_dead_types)(struct store *store, store_visit_type *visit, void *context,
                             struct error *error);
    bool (*requeue)(struct store *store, const struct store_query *query, store_visit_task *visit,
                    void *context, struct error *error);
    bool (*requeue_at)(struct store *store, const struct store_places *places,
                       store_visit_task *visit, void *context, struct error *error);
    bool (*drop)(struct store *store, const struct store_query *query, uint64_t *count,
                 struct error *error);
    bool (*prune)(struct store *store, int64_t before_wall_ns, uint64_t *count,
                  struct error *error);
    void (*set_finished_max)(struct store *store, uint64_t finished_max);
    bool (*claim)(struct store *store, const char *key, const char *id,
                  char holder[STORE_HOLDER_BYTES], struct error *error);
    bool (*release)(struct store *store, const char *key, const char *id, struct error *error);
    bool (*visit_claims)(struct store *store, store_visit_claim *visit, void *context,
                         struct error *error);
    struct histogram_total *(*commit_times)(struct store *store); /* NULL: it has none */
    bool (*count)(struct store *store, struct store_counts *counts, struct error *error);
};

/* In this process's memory, for as long as it runs: `sluice run`. */
extern const struct store_backend store_memory;

/* In a file, for `sluice serve` and `run --state`: what was acknowledged is never lost. */
extern const struct store_backend store_sqlite;
