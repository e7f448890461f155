/* job_line: jobs and tasks as the daemon's JSON has them, in the words in which `run` speaks of its
 * own. Stateless; main thread. */
#pragma once

#include <jansson.h>

#include "support/buffer.h"

/* Returns a state as text: "timed out" for "timed_out". */
const char *job_line_state(const char *state);

/* Adds "nightly: 1000 tasks: 997 succeeded, 2 failed", and how many are unfinished. */
void job_line_put_counts(struct buffer *text, const json_t *job);

/* Adds the line about a task that has not succeeded, with its end; the task is one of a list or an
 * event, and file that of its job. */
void job_line_put_failure(struct buffer *text, const json_t *task, const char *file);

/* Adds the line about an attempt, with its end. */
void job_line_put_attempt(struct buffer *text, const json_t *attempt);
