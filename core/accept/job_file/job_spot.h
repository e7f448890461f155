/* job_spot: a place in a file, known in characters, as libyaml counts, and in bytes: so a document
 * is found again. Moves forward only, so that many documents cost one way through the file in all.
 * Embedded by its job_file; the reader's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/job_file/job_input.h"

struct job_spot {
    int64_t offset;     /* in the file */
    uint64_t character; /* how many begin before it, but for a byte order mark */
};

/* Moves to a character that is not before the spot; false, and the spot stays in between, if the
 * seekable input ends before it. */
bool job_spot_move(struct job_spot *spot, const struct job_input *input, uint64_t character);
