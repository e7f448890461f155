/* odd: types whose names are as strange as a name may be. */
#include <sluice/plugin.h>

static enum sluice_status nothing(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

#define LONGEST "z23456789-123456789-123456789-123456789-123456789-123456789-123"

static const struct sluice_type odd_types[] = {
    {SLUICE_TYPE("odd.type-with_every.-_mark..", "Does nothing."), .execute = nothing},
    {SLUICE_TYPE("o", "Does nothing."), .execute = nothing},
    {SLUICE_TYPE(LONGEST, "Does nothing."), .execute = nothing},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("odd-0", "1.0.0+odd~\"quoted\\version\"", "odd.type-with_every.-_mark.. o " LONGEST,
              odd_types)
