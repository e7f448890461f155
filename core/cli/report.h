/* report: what `run` says about tasks and jobs: each failure on standard error when it happens, the
 * last lines or the JSON objects on standard output. Created by the command on the main thread;
 * tasks are reported on the threads that end them. */
#pragma once

#include <stdbool.h>

#include "cli/options.h"
#include "host.h"
#include "outcome/outcome.h"

enum {
    REPORT_FAILURES_MOST = 1000, /* kept for JSON; more are counted */
    REPORT_SKIPS_MOST = 64,      /* different reasons that are told apart */
};

struct report;

/* Makes a report. prefix (borrowed) is put in front of what is written while the tasks run, so
 * that a progress line gets out of the way; may be NULL. NULL with a message if its thread
 * cannot start. */
struct report *report_create(const struct options *options, const char *prefix,
                             struct error *error);

/* Takes note of a task that has ended; a failure is printed soon, that of an attempt which is not
 * the last one is not. Any thread, no lock held. Blocks
 * only while standard error falls far behind. */
void report_task(struct report *report, const struct outcome_record *record);

/* Writes the failures that were not written yet, and why tasks were skipped. No task ends any
 * more. */
void report_end(struct report *report);

/* Prints the last line (or the JSON object) of each of the host's jobs on standard output. */
void report_jobs(struct report *report, struct host *host, double seconds);

/* Frees it; clears the pointer; accepts NULL. */
void report_destroy(struct report **report);
