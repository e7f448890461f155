#include "accept/job_file/job_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_known(const struct diagnostics *diagnostics, struct place place, const char *message)
{
    for (size_t i = diagnostics->kept_count; i > 0; i--) {
        const struct diagnostic *kept = &diagnostics->kept[i - 1];
        if (kept->place.line == place.line && kept->place.column == place.column &&
            strcmp(kept->message, message) == 0)
            return true;
    }
    return false;
}

void job_report(struct job_faults *faults, struct job_fault fault, const char *format, ...)
{
    CLEANUP(cleanup_free) char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        abort();
    va_end(arguments);
    faults->count++;
    if (!is_known(faults->diagnostics, fault.place, message))
        diagnostics_add(faults->diagnostics, fault.place, words[fault.code], message, fault.hint);
}
