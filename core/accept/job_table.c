#include "accept/job_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"
#include "support/thread.h"

struct job_table {
    struct mutex lock;
    /* guarded by lock */
    struct dictionary rows;
    struct job *named; /* by another name than their ids: few, if any */
    struct job *over;
    bool stopping;
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

static struct job *next_job(const struct job_table *table, size_t *place)
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
    for (size_t place = 0; (job = next_job(table, &place)) != NULL; place--)
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
    job->row.entry.text = name != NULL ? job->row.name : job->id;
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

bool job_table_add(struct job_table *table, struct job *job, const char *name)
{
    row_init(job, name);
    mutex_lock(&table->lock);
    bool is_free = dictionary_add_new(&table->rows, &job->row.entry);
    if (is_free && name != NULL)
        named_add(table, job);
    if (is_free && table->stopping)
        atomic_store(&job->stop, JOB_STOPPED);
    mutex_unlock(&table->lock);
    if (!is_free)
        free(job->row.name);
    return is_free;
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

bool job_table_over(struct job_table *table, struct job *job)
{
    MUTEX_GUARD(&table->lock);
    assert(job->row.entry.text != NULL);
    dictionary_remove(&table->rows, &job->row.entry);
    named_remove(job);
    job->row.next = table->over;
    table->over = job;
    return job->row.next == NULL;
}

bool job_table_waits(struct job_table *table)
{
    MUTEX_GUARD(&table->lock);
    return table->over != NULL;
}

/* Takes out those that nobody holds. */
static struct job *take_free(struct job_table *table, size_t *held)
{
    struct job *free_jobs = NULL;
    MUTEX_GUARD(&table->lock);
    for (struct job **at = &table->over, *job; (job = *at) != NULL;) {
        if (job_is_held(job)) {
            (*held)++;
            at = &job->row.next;
            continue;
        }
        *at = job->row.next;
        job->row.next = free_jobs;
        free_jobs = job;
    }
    return free_jobs;
}

size_t job_table_sweep(struct job_table *table)
{
    size_t held = 0;
    for (struct job *job = take_free(table, &held), *next; job != NULL; job = next) {
        next = job->row.next;
        forget(job);
    }
    return held;
}

void job_table_stop(struct job_table *table)
{
    MUTEX_GUARD(&table->lock);
    table->stopping = true;
    struct job *job;
    for (size_t place = 0; (job = next_job(table, &place)) != NULL;)
        atomic_store(&job->stop, JOB_STOPPED);
}

size_t job_table_count(struct job_table *table)
{
    MUTEX_GUARD(&table->lock);
    return table->rows.count;
}
