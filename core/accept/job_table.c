#include "accept/job_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "support/dictionary.h"
#include "support/memory.h"
#include "support/thread.h"

struct job_row {
    struct dictionary_entry entry; /* by the name; first */
    struct job *job;
    struct job_row *next; /* of those that are over */
    char name[];
};

struct job_table {
    struct mutex lock;
    /* guarded by lock */
    struct dictionary rows;
    struct job_row *over;
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

static void row_free(struct job_row *row)
{
    job_destroy(&row->job);
    free(row);
}

/* Lock held. */
static struct job_row *first_row(const struct dictionary *rows)
{
    for (size_t i = 0; i < rows->bucket_count; i++)
        if (rows->buckets[i] != NULL)
            return (struct job_row *)rows->buckets[i];
    return NULL;
}

void job_table_destroy(struct job_table **table_pointer)
{
    struct job_table *table = *table_pointer;
    if (table == NULL)
        return;
    for (struct job_row *row; (row = first_row(&table->rows)) != NULL;)
        job_table_over(table, row->job);
    size_t held = job_table_sweep(table);
    assert(held == 0);
    dictionary_fini(&table->rows);
    mutex_fini(&table->lock);
    free(table);
    *table_pointer = NULL;
}

static struct job_row *row_make(struct job *job, const char *name)
{
    size_t bytes = strlen(name) + 1;
    struct job_row *row = calloc(1, sizeof *row + bytes);
    if (row == NULL)
        abort();
    memcpy(row->name, name, bytes);
    row->entry.text = row->name;
    row->job = job;
    return row;
}

bool job_table_add(struct job_table *table, struct job *job, const char *name)
{
    struct job_row *row = row_make(job, name != NULL ? name : job->id);
    mutex_lock(&table->lock);
    bool is_free = dictionary_find(&table->rows, row->name) == NULL;
    if (is_free) {
        if (table->stopping)
            atomic_store(&job->stop, JOB_STOPPED);
        job->row = row;
        dictionary_add(&table->rows, &row->entry);
    }
    mutex_unlock(&table->lock);
    if (!is_free)
        free(row);
    return is_free;
}

struct job *job_table_find(struct job_table *table, const char *id)
{
    MUTEX_GUARD(&table->lock);
    struct job_row *row = (struct job_row *)dictionary_find(&table->rows, id);
    if (row == NULL)
        return NULL;
    job_hold(row->job); /* under the lock: so it was not over before */
    return row->job;
}

size_t job_table_find_all(struct job_table *table, const char *id, struct job ***jobs)
{
    size_t count = 0;
    *jobs = NULL;
    MUTEX_GUARD(&table->lock);
    for (size_t i = 0; i < table->rows.bucket_count; i++) {
        const struct dictionary_entry *entry = table->rows.buckets[i];
        for (; entry != NULL; entry = entry->next) {
            struct job *job = ((const struct job_row *)(const void *)entry)->job;
            if (strcmp(job->id, id) != 0)
                continue;
            job_hold(job);
            *jobs = memory_grow(*jobs, count + 1, sizeof(struct job *));
            (*jobs)[count++] = job;
        }
    }
    return count;
}

bool job_table_over(struct job_table *table, struct job *job)
{
    MUTEX_GUARD(&table->lock);
    struct job_row *row = job->row;
    assert(row != NULL && row->job == job);
    dictionary_remove(&table->rows, &row->entry);
    row->next = table->over;
    table->over = row;
    return row->next == NULL;
}

bool job_table_waits(struct job_table *table)
{
    MUTEX_GUARD(&table->lock);
    return table->over != NULL;
}

/* Takes out those that nobody holds. */
static struct job_row *take_free(struct job_table *table, size_t *held)
{
    struct job_row *free_rows = NULL;
    MUTEX_GUARD(&table->lock);
    for (struct job_row **at = &table->over, *row; (row = *at) != NULL;) {
        if (job_is_held(row->job)) {
            (*held)++;
            at = &row->next;
            continue;
        }
        *at = row->next;
        row->next = free_rows;
        free_rows = row;
    }
    return free_rows;
}

size_t job_table_sweep(struct job_table *table)
{
    size_t held = 0;
    for (struct job_row *row = take_free(table, &held), *next; row != NULL; row = next) {
        next = row->next;
        row_free(row);
    }
    return held;
}

void job_table_stop(struct job_table *table)
{
    MUTEX_GUARD(&table->lock);
    table->stopping = true;
    for (size_t i = 0; i < table->rows.bucket_count; i++)
        for (struct dictionary_entry *entry = table->rows.buckets[i]; entry != NULL;
             entry = entry->next)
            atomic_store(&((struct job_row *)entry)->job->stop, JOB_STOPPED);
}

size_t job_table_count(struct job_table *table)
{
    MUTEX_GUARD(&table->lock);
    return table->rows.count;
}
