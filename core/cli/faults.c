#include "cli/faults.h"

#include <stdint.h>

#include "cli/field.h"
#include "cli/output.h"
#include "support/cleanup.h"

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

void faults_print(const json_t *answer, bool colour)
{
    CLEANUP(diagnostics_fini) struct diagnostics diagnostics;

    diagnostics_init(&diagnostics, field_text(json_array_get(details_of(answer), 0), "file"));
    if (faults_add(answer, &diagnostics))
        diagnostics_print(&diagnostics, output_messages(), colour);
}
