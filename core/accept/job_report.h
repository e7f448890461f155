/* job_report: how every part of the job file reader says what is wrong: a code of errors.def, a
 * place, words, perhaps a hint. Stateless; the reader's thread. */
#pragma once

#include "accept/job_file.h"
#include "support/diagnostic.h"

struct job_fault {
    enum job_file_error code;
    struct place place;
    const char *hint; /* copied; may be NULL */
};

/* Adds an error. */
void job_report(struct diagnostics *diagnostics, struct job_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
