/* parcel: a job file as it is sent to a daemon, with what only the one who sends it can know:
 * the environment's variables and the files of items that it names, and --set. Embedded by the
 * command; main thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/settings.h"
#include "support/buffer.h"
#include "support/diagnostic.h"

#define PARCEL_MOST_BYTES (INT64_C(1) << 30) /* the job file, and all of its files of items */

struct parcel {
    const char *file; /* as the command line names it */
    int fd;           /* of the file, or of a copy of what cannot be read twice; -1: not open */
    struct buffer text;
    json_t *env, *files;
    int64_t files_bytes;
    struct buffer body;
    const char *type; /* of the body, for Content-Type */
    struct diagnostics diagnostics;
};

/* Reads a job file ("-" is standard input) and makes the body; false with what is wrong in the
 * diagnostics. What is no text at all goes as it is, for the daemon to say what it is not.
 * parcel_fini is due either way. May block on the input. */
bool parcel_make(struct parcel *parcel, const char *file, const struct settings *settings);

/* Frees everything. Fits CLEANUP. */
void parcel_fini(struct parcel *parcel);

/* Finds in the text what it wants of the environment (env) and of the file system (files); false
 * with diagnostics. Errors in the YAML are for the daemon to find. */
bool parcel_scan(struct parcel *parcel);
