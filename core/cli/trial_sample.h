/* trial_sample: one task that is run in a trial, in the process of that, on a worker thread. The
 * main thread of a trial. */
#pragma once

#include <stdbool.h>

#include "accept/chunk.h"
#include "accept/job.h"
#include "plugin/registry.h"
#include "support/buffer.h"

struct trial_sample {
    struct chunk_pool pool;
    struct job *job;    /* of the task; NULL: its defaults are tried */
    const char *type;   /* its name */
    const char *record; /* its parameters */
    uint32_t record_bytes;
    int64_t timeout_ns;
};

/* Reads a task as it would stand in a job file; false with a text about what is wrong in it.
 * trial_sample_fini is due either way. */
bool trial_sample_read(struct trial_sample *sample, const char *text, struct registry *registry,
                       struct buffer *why);

/* Makes the task of a type that has nothing but its defaults; false with a text if a parameter has
 * to be given. */
bool trial_sample_default(struct trial_sample *sample, const struct offer *offer,
                          struct buffer *why);

/* Frees it. Fits CLEANUP. */
void trial_sample_fini(struct trial_sample *sample);

enum trial_sample_end { TRIAL_SAMPLE_BACK, TRIAL_SAMPLE_STUCK };

/* Runs it and says what came of it. STUCK: the thread is still in the plugin; the process must be
 * left at once. */
enum trial_sample_end trial_sample_run(const struct trial_sample *sample,
                                       const struct offer *offer);
