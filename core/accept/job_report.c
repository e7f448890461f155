#include "accept/job_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/cleanup.h"

static const char *const words[JOB_FILE_ERROR_COUNT] = {
#define ERROR(name, word, meaning) [JOB_FILE_##name] = word,
#include "accept/errors.def"
#undef ERROR
};

const char *job_file_error_word(enum job_file_error error)
{
    return words[error];
}

void job_report(struct diagnostics *diagnostics, struct job_fault fault, const char *format, ...)
{
    CLEANUP(cleanup_free) char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        abort();
    va_end(arguments);
    diagnostics_add(diagnostics, fault.place, words[fault.code], message, fault.hint);
}
