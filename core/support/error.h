/* error: a failure that a person must read, filled by the function that returned false.
 * Lives in the caller's memory; one thread at a time. */
#pragma once

#include <stdbool.h>

enum { ERROR_MESSAGE_BYTES = 1024 };

struct error {
    const char *code;                  /* a stable word in static memory, such as "not_found" */
    char message[ERROR_MESSAGE_BYTES]; /* one line: the place, what was found, what is allowed */
};

/* Fills *error (which may be NULL) and always returns false, so that a failing function ends with
 * it. */
bool error_set(struct error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, then ": " and the text of errno as it was at the call. */
bool error_errno(struct error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
