/* origin: how the jobs of one submission belong together, as a durable store keeps it with each
 * of them (store_job_given.origin): so that a host that comes after a crash takes them up together
 * or not at all, and knows what was answered. The first of them is sealed last: while it is not,
 * nobody was told that they were taken. Stateless; any thread.
 * The text: ID of the first job, how many they are, the only task of a submission of one task or
 * "*", and behind that the sender's note, "-" for none. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/job.h"
#include "accept/submission.h"

struct origin {
    char first[JOB_ID_BYTES];
    uint32_t documents;
    char task[TASK_ID_MOST_BYTES + 1]; /* "": it was no submission of one task */
    const char *note;                  /* inside the text; NULL: none */
};

/* Says with each job of a submission how it came, unless one that came alone and without a note
 * needs nothing said. Before they are in the store. */
void origin_write(const struct submission *submission);

/* Reads such a text (NULL: nothing was said); false if there is nothing in it. */
bool origin_read(const char *text, struct origin *origin);
