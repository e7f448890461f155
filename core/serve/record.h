/* record: a task that has ended, or an attempt of it, as a line of JSON for whoever listens: the
 * file of `run --events`, the event stream of the daemon. Stateless; any thread. */
#pragma once

#include "outcome/outcome.h"
#include "support/buffer.h"

/* Adds the object and a newline. */
void record_write(const struct outcome_record *record, struct buffer *line);
