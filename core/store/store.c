#include "store/store.h"

#include <assert.h>
#include <string.h>

#include "store/store_backend.h"

static const struct store_backend *const backends[] = {&store_memory, &store_sqlite};

struct store *store_open(const char *name, const struct store_options *options, struct error *error)
{
    for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i]->open(options, error);
    error_set(error, "unknown_backend", "there is no store backend '%s'", name);
    return NULL;
}

void store_close(struct store **store)
{
    if (*store != NULL)
        (*store)->backend->close(*store);
    *store = NULL;
}

uint64_t store_epoch(const struct store *store)
{
    return store->epoch;
}

bool store_borrows(const struct store *store)
{
    return store->backend->borrows;
}

bool store_add_job(struct store *store, const struct store_job_given *given, uint64_t *key,
                   struct error *error)
{
    return store->backend->add_job(store, given, key, error);
}

bool store_add_tasks(struct store *store, uint64_t job, const struct store_new_task *tasks,
                     size_t count, struct error *error)
{
    return store->backend->add_tasks(store, job, tasks, count, error);
}

bool store_add_wholes(struct store *store, struct store_whole *wholes, size_t count,
                      struct error *error)
{
    return store->backend->add_wholes(store, wholes, count, error);
}

bool store_seal_job(struct store *store, uint64_t job, struct error *error)
{
    return store->backend->seal_job(store, job, error);
}

bool store_end(struct store *store, struct store_end *ends, size_t count, struct error *error)
{
    return store->backend->end(store, ends, count, error);
}

bool store_retry(struct store *store, struct store_retry *retries, size_t count,
                 struct error *error)
{
    return store->backend->retry(store, retries, count, error);
}

bool store_write_log(struct store *store, struct store_written *written, size_t count,
                     struct error *error)
{
    return store->backend->write_log(store, written, count, error);
}

bool store_commit(struct store *store, struct error *error)
{
    return store->backend->commit(store, error);
}

void store_when_durable(struct store *store, struct store_wait *wait)
{
    store->backend->when_durable(store, wait);
}

void store_wait_no_more(struct store *store)
{
    if (store->backend->wait_no_more != NULL)
        store->backend->wait_no_more(store);
}

bool store_is_well(struct store *store, struct error *error)
{
    return store->backend->is_well(store, error);
}

bool store_forget_job(struct store *store, uint64_t job, struct error *error)
{
    return store->backend->forget_job(store, job, error);
}

bool store_stop_job(struct store *store, uint64_t job, struct error *error)
{
    return store->backend->stop_job(store, job, error);
}

bool store_recall(struct store *store, const struct store_places *places, store_visit_task *visit,
                  void *context, struct error *error)
{
    return store->backend->recall(store, places, visit, context, error);
}

bool store_visit(struct store *store, const struct store_query *query, store_visit_task *visit,
                 void *context, struct error *error)
{
    return store->backend->visit(store, query, visit, context, error);
}

bool store_visit_due(struct store *store, const struct store_due *due, store_visit_task *visit,
                     void *context, struct error *error)
{
    return store->backend->visit_due(store, due, visit, context, error);
}

bool store_visit_jobs(struct store *store, store_visit_job *visit, void *context,
                      struct error *error)
{
    return store->backend->visit_jobs(store, visit, context, error);
}

bool store_find_job(struct store *store, const char *id, store_visit_job *visit, void *context,
                    struct error *error)
{
    return store->backend->find_job(store, id, visit, context, error);
}

bool store_visit_dead_types(struct store *store, store_visit_type *visit, void *context,
                            struct error *error)
{
    return store->backend->visit_dead_types(store, visit, context, error);
}

/* Whatever else the caller asked for: what has not failed is no dead letter. */
static struct store_query among_the_dead(const struct store_query *query)
{
    struct store_query dead = *query;
    dead.states = query->states == 0 ? STORE_DEAD_SET : query->states & STORE_DEAD_SET;
    return dead;
}

bool store_requeue(struct store *store, const struct store_query *query, store_visit_task *visit,
                   void *context, struct error *error)
{
    struct store_query dead = among_the_dead(query);
    return dead.states == 0 || store->backend->requeue(store, &dead, visit, context, error);
}

bool store_requeue_at(struct store *store, const struct store_places *places,
                      store_visit_task *visit, void *context, struct error *error)
{
    return places->count == 0 || store->backend->requeue_at(store, places, visit, context, error);
}

bool store_drop(struct store *store, const struct store_query *query, uint64_t *count,
                struct error *error)
{
    struct store_query dead = among_the_dead(query);
    *count = 0;
    return dead.states == 0 || store->backend->drop(store, &dead, count, error);
}

bool store_prune(struct store *store, int64_t before_wall_ns, uint64_t *count, struct error *error)
{
    *count = 0;
    return store->backend->prune(store, before_wall_ns, count, error);
}

void store_set_finished_max(struct store *store, uint64_t finished_max)
{
    store->backend->set_finished_max(store, finished_max);
}

bool store_claim(struct store *store, const char *key, const char *id,
                 char holder[STORE_HOLDER_BYTES], struct error *error)
{
    assert(strlen(key) <= STORE_KEY_MOST_BYTES && strlen(id) < STORE_HOLDER_BYTES);
    return store->backend->claim(store, key, id, holder, error);
}

bool store_release(struct store *store, const char *key, const char *id, struct error *error)
{
    return store->backend->release(store, key, id, error);
}

bool store_visit_claims(struct store *store, store_visit_claim *visit, void *context,
                        struct error *error)
{
    return store->backend->visit_claims(store, visit, context, error);
}

struct histogram_total *store_commit_times(struct store *store)
{
    return store->backend->commit_times == NULL ? NULL : store->backend->commit_times(store);
}

bool store_count(struct store *store, struct store_counts *counts, struct error *error)
{
    return store->backend->count(store, counts, error);
}
