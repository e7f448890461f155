/* read_job: one job file, given as text, read into jobs, for tests. */
#pragma once

#include "accept/job_file.h"

struct read_job {
    bool right;
    struct chunk_pool pool;
    struct job_list jobs;
    struct job *job; /* the first; NULL: there is none */
    struct diagnostics diagnostics;
};

/* Reads a text with a capacity of 100, from a file, and looks whether it is read from memory alike; *read lasts until
 * read_job_fini. */
void read_job_text(struct read_job *read, const char *text);
void read_job_bytes(struct read_job *read, const char *bytes, size_t length);

/* Frees it. */
void read_job_fini(struct read_job *read);

/* Returns the index-th task that was read right. */
const struct task *read_job_task(const struct read_job *read, size_t index);

/* Returns all errors as one text of lines LINE:COLUMN+WIDTH CODE MESSAGE[ = HINT]; static, until the next call. */
const char *read_job_errors(const struct read_job *read);
