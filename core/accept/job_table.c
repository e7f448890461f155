#include "accept/job_table.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"
#include "support/thread.h"

struct job_table {
    struct mutex lock;
    /* guarded by lock */
    struct dictionary rows;
    struct job *named; /* by another name than their ids: few, if any */
    bool stopping;
    /* any thread */
    _Atomic(struct job *) over; /* the last one first */
};

struct job_table *job_table_create(void)
{
    struct job_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        abort();
    mutex_init(&table->lock);
    dictionary_init(&table->rows);
    return table;
}

/* The job of an entry, which may be NULL. */
static struct job *job_of(struct dictionary_entry *entry)
{
    return entry == NULL ? NULL : (struct job *)((char *)entry - offsetof(struct job, row.entry));
}

static struct job *next_job(const struct job_table *table, uint64_t *place)
{
    return job_of(dictionary_next(&table->rows, place));
}

static void forget(struct job *job)
{
    free(job->row.name);
    job_destroy(&job);
}

void job_table_destroy(struct job_table **table_pointer)
{
    struct job_table *table = *table_pointer;
    if (table == NULL)
        return;
    struct job *job;
    for (uint64_t place = 0; (job = next_job(table, &place)) != NULL; place--)
        job_table_over(table, job);
    size_t held = job_table_sweep(table);
    assert(held == 0);
    dictionary_fini(&table->rows);
    mutex_fini(&table->lock);
    free(table);
    *table_pointer = NULL;
}

/* A name of its own is copied. */
static void row_init(struct job *job, const char *name)
{
    job->row = (struct job_row){.name = name != NULL ? strdup(name) : NULL};
    if (name != NULL && job->row.name == NULL)
        abort();
    dictionary_entry_init(&job->row.entry, name != NULL ? job->row.name : job->id);
}

/* Lock held. */
static void named_add(struct job_table *table, struct job *job)
{
    job->row.next = table->named;
    job->row.before = &table->named;
    table->named = job;
    if (job->row.next != NULL)
        job->row.next->row.before = &job->row.next;
}

/* Lock held. */
static void named_remove(struct job *job)
{
    if (job->row.name == NULL)
        return;
    *job->row.before = job->row.next;
    if (job->row.next != NULL)
        job->row.next->row.before = job->row.before;
}

/* Lock held. */
static bool row_add(struct job_table *table, struct job *job)
{
    if (!dictionary_add_new(&table->rows, &job->row.entry))
        return false;
    if (job->row.name != NULL)
        named_add(table, job);
    if (table->stopping)
        atomic_store(&job->stop, JOB_STOPPED);
    return true;
}

bool job_table_add(struct job_table *table, struct job *job, const char *name)
{
    row_init(job, name);
    mutex_lock(&table->lock);
    bool added = row_add(table, job);
    mutex_unlock(&table->lock);
    if (!added)
        free(job->row.name);
    return added;
}

void job_table_add_all(struct job_table *table, struct job *const *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        row_init(jobs[i], NULL);
    MUTEX_GUARD(&table->lock);
    for (size_t i = 0; i < count; i++) {
        bool added = row_add(table, jobs[i]);
        assert(added); /* no ULID is made twice */
        (void)added;
    }
}

struct job *job_table_find(struct job_table *table, const char *id)
{
    MUTEX_GUARD(&table->lock);
    struct job *job = job_of(dictionary_find(&table->rows, id));
    if (job != NULL)
        job_hold(job); /* under the lock: so it was not over before */
    return job;
}

/* Adds a job that has the id; lock held. */
static size_t add_found(struct job *job, const char *id, struct job ***jobs, size_t count)
{
    if (strcmp(job->id, id) != 0)
        return count;
    job_hold(job);
    *jobs = memory_grow(*jobs, count + 1, sizeof(struct job *));
    (*jobs)[count] = job;
    return count + 1;
}

size_t job_table_find_all(struct job_table *table, const char *id, struct job ***jobs)
{
    size_t count = 0;
    *jobs = NULL;
    MUTEX_GUARD(&table->lock);
    struct job *own = job_of(dictionary_find(&table->rows, id));
    if (own != NULL && own->row.name == NULL)
        count = add_found(own, id, jobs, count);
    for (struct job *job = table->named; job != NULL; job = job->row.next)
        count = add_found(job, id, jobs, count);
    return count;
}

/* Returns whether there was none. */
static bool over_push(struct job_table *table, struct job *job)
{
    struct job *before = atomic_load_explicit(&table->over, memory_order_relaxed);
    do
        job->row.next = before;
    while (!atomic_compare_exchange_weak(&table->over, &before, job));
    return before == NULL;
}

bool job_table_over(struct job_table *table, struct job *job)
{
    mutex_lock(&table->lock);
    assert(job->row.entry.text != NULL);
    dictionary_remove(&table->rows, &job->row.entry);
    named_remove(job);
    mutex_unlock(&table->lock);
    return over_push(table, job);
}

bool job_table_waits(struct job_table *table)
{
    return atomic_load(&table->over) != NULL;
}

/* Nobody finds those that are over: who does not hold one now never will. */
size_t job_table_sweep(struct job_table *table)
{
    size_t held = 0;
    for (struct job *job = atomic_exchange(&table->over, NULL), *next; job != NULL; job = next) {
        next = job->row.next;
        if (job_is_held(job)) {
            held++;
            over_push(table, job);
        } else {
            forget(job);
        }
    }
    return held;
}

void job_table_stop(struct job_table *table)
{
    MUTEX_GUARD(&table->lock);
    table->stopping = true;
    struct job *job;
    for (uint64_t place = 0; (job = next_job(table, &place)) != NULL;)
        atomic_store(&job->stop, JOB_STOPPED);
}

size_t job_table_count(struct job_table *table)
{
    MUTEX_GUARD(&table->lock);
    return table->rows.count;
}
