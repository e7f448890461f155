/* envelope: a job file with what it needs from where it comes: {"file","text","set","env","files"},
 * as `sluice submit` sends it. Read by the reader thread; lives as long as its submission. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "accept/job_sources.h"
#include "accept/submission.h"

struct envelope {
    json_t *json; /* to which the submission's texts point; NULL: not read */
    struct job_setting *settings;
    struct job_sources sources;
};

/* Reads an envelope, which is the submission's text, and fills in its file, text, settings and
 * sources; false with what is wrong in its diagnostics. Once. */
bool envelope_read(struct envelope *envelope, struct submission *submission);

/* Frees it; one that was not read is fine. */
void envelope_fini(struct envelope *envelope);
