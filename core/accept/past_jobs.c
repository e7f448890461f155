#include "accept/past_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

struct past_jobs {
    struct past_job *items; /* sorted by file, document and age */
    size_t count, capacity;
};

static bool note_job(void *context, const struct store_job *job)
{
    struct past_jobs *jobs = context;
    if (jobs->count == jobs->capacity) {
        jobs->capacity = jobs->capacity > 0 ? 2 * jobs->capacity : 16;
        jobs->items = memory_grow(jobs->items, jobs->capacity, sizeof *jobs->items);
    }
    struct past_job *item = &jobs->items[jobs->count++];
    *item = (struct past_job){.file = strdup(job->given.file),
                              .document = job->given.document,
                              .key = job->key,
                              .sealed = job->sealed};
    if (item->file == NULL)
        abort();
    return true;
}

static int compare_document(const struct past_job *one, const struct past_job *other)
{
    int order = strcmp(one->file, other->file);
    return order != 0 ? order
                      : (one->document > other->document) - (one->document < other->document);
}

static int compare(const void *one, const void *other)
{
    const struct past_job *left = one, *right = other;
    int order = compare_document(left, right);
    return order != 0 ? order : (left->key > right->key) - (left->key < right->key);
}

struct past_jobs *past_jobs_read(struct store *store, struct error *error)
{
    struct past_jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL)
        abort();
    if (!store_visit_jobs(store, note_job, jobs, error))
        past_jobs_destroy(&jobs);
    else if (jobs->count > 0)
        qsort(jobs->items, jobs->count, sizeof *jobs->items, compare);
    return jobs;
}

void past_jobs_destroy(struct past_jobs **jobs)
{
    if (*jobs == NULL)
        return;
    for (size_t i = 0; i < (*jobs)->count; i++)
        free((*jobs)->items[i].file);
    free((*jobs)->items);
    free(*jobs);
    *jobs = NULL;
}

/* Returns where the first one is that does not come before a document's. */
static size_t find_first(const struct past_jobs *jobs, const struct past_job *wanted)
{
    size_t low = 0, high = jobs->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_document(&jobs->items[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t past_jobs_find(const struct past_jobs *jobs, const char *file, uint32_t document,
                      const struct past_job **first)
{
    const struct past_job wanted = {.file = (char *)(uintptr_t)file, .document = document};
    size_t at = find_first(jobs, &wanted), end = at;
    while (end < jobs->count && compare_document(&jobs->items[end], &wanted) == 0)
        end++;
    *first = jobs->items + at;
    return end - at;
}
