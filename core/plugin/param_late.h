/* param_late: parameters with texts in them that are known only when the task starts. Such a text
 * holds references between two marks; the field that it is in is marked late (params.h). Stateless;
 * any thread. */
#pragma once

#include <stdbool.h>

#include "plugin/param_table.h"

/* U+FFFF, which stands for no character. */
#define PARAM_LATE_MARK "\xef\xbf\xbf"

enum { PARAM_LATE_TEXT_MOST_BYTES = 1024 * 1024, PARAM_LATE_REFERENCE_MOST_BYTES = 512 };

/* Says what references stand for: a text that lives until the record is resolved; NULL with a
 * message. */
struct param_lookup {
    const char *(*find)(void *context, const char *reference, struct error *error);
    void *context;
};

/* Adds the record with all its late texts resolved to an empty buffer: typed and checked by the
 * table as if the job file had said them. False with a message, which shows no secret. */
bool param_late_resolve(const struct param_table *table, struct params_text record,
                        const struct param_lookup *lookup, struct buffer *resolved,
                        struct error *error);
