#include "cli/faults.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "cli/output.h"
#include "support/cleanup.h"
#include "support/utf8.h"

static uint32_t number(const json_t *detail, const char *key)
{
    int64_t value = field_int(detail, key);
    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static const json_t *details_of(const json_t *answer)
{
    return json_object_get(json_object_get(answer, "error"), "details");
}

bool faults_add(const json_t *answer, struct diagnostics *diagnostics)
{
    const json_t *details = details_of(answer);

    for (size_t i = 0; i < json_array_size(details); i++) {
        const json_t *detail = json_array_get(details, i);
        const char *hint = field_text(detail, "hint");
        uint32_t width = number(detail, "width");
        struct place place = {number(detail, "line"), number(detail, "column"),
                              width == 0 ? 1 : width};
        diagnostics_add(diagnostics, place, "invalid", field_text(detail, "message"),
                        hint[0] == '\0' ? NULL : hint);
    }
    return json_array_size(details) > 0;
}

/* Errors of a configuration are lines, as the daemon has logged them. False if these are no lines.
 * */
static bool print_lines(const json_t *details)
{
    for (size_t i = 0; i < json_array_size(details); i++) {
        const char *line = json_string_value(json_array_get(details, i));
        if (line == NULL)
            return false;
        CLEANUP(cleanup_free) char *clean = utf8_clean_line(line, strlen(line));
        fprintf(output_messages(), "%s\n", clean);
    }
    return true;
}

void faults_print(const json_t *answer, bool colour)
{
    if (print_lines(details_of(answer)))
        return;
    CLEANUP(diagnostics_fini) struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, field_text(json_array_get(details_of(answer), 0), "file"));
    if (faults_add(answer, &diagnostics))
        diagnostics_print(&diagnostics, output_messages(), colour);
}
