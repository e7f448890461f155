/* follow_end: what is said of a job that is followed: its failures, each once, and the last line or
 * JSON object. Embedded by follow; main thread. */
#pragma once

#include <jansson.h>

#include "cli/follow.h"

struct follow_end {
    const struct follow *follow;
    json_t *told;         /* ids of tasks that were printed */
    json_t *failures;     /* the list for JSON; NULL until the end */
    int64_t skipped_seen; /* of skipped tasks, see follow_end.c */
    json_t *reasons;      /* why tasks were skipped, each once; NULL until the end */
};

/* Prints the task of an event, or of a list, unless it has succeeded, is skipped or cancelled, is
 * tried again, or was printed before. With JSON it is the end that lists them. */
void follow_end_tell(struct follow_end *end, const json_t *task);

/* Says the rest about a job that is over, for which the daemon is asked, and returns the exit code.
 * A daemon that does not tell is named; the job's counts are known without it. */
int follow_end_say(struct follow_end *end, const json_t *job);

/* Frees what it holds. */
void follow_end_fini(struct follow_end *end);
