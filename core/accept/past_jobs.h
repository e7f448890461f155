/* past_jobs: which jobs of earlier runs a durable store has, by the documents of the job files that
 * they stand for. Read once, before a run adds jobs of its own; immutable then; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"
#include "support/error.h"

struct past_jobs;

struct past_job {
    char *file; /* as the user named it */
    uint32_t document;
    uint64_t key; /* in the store */
    bool sealed;  /* all its tasks are known */
};

/* Reads them. NULL with a message. Blocks while the store reads. */
struct past_jobs *past_jobs_read(struct store *store, struct error *error);

/* Frees it; clears the pointer; accepts NULL. */
void past_jobs_destroy(struct past_jobs **jobs);

/* Finds those of one document, the oldest first, and returns how many they are. They are valid as
 * long as all. */
size_t past_jobs_find(const struct past_jobs *jobs, const char *file, uint32_t document,
                      const struct past_job **first);
