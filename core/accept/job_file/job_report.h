/* job_report: how every part of the job file reader says what is wrong: a code of errors.def, a
 * place, words, perhaps a hint. Stateless; the reader's thread. */
#pragma once

#include "accept/job_file.h"
#include "support/diagnostic.h"

/* Where errors go; one a file that is read. */
struct job_faults {
    struct diagnostics *diagnostics;
    size_t count; /* of all that were reported, also twice */
};

struct job_fault {
    enum job_file_error code;
    struct place place;
    const char *hint; /* copied; may be NULL */
};

/* Adds an error, unless the very same was reported there: what an alias stands for is read more
 * than once. */
void job_report(struct job_faults *faults, struct job_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
