/* job_report: how every part of the job file reader says what is wrong: a code of errors.def, a
 * place, words, perhaps a hint. Stateless; the reader's thread. */
#pragma once

#include "accept/job_file.h"
#include "support/diagnostic.h"

/* Adds an error; hint may be NULL and is copied. */
void job_report(struct diagnostics *diagnostics, enum job_file_error code, struct place place,
                const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));
