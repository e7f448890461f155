/* Types that answer or put out what they should not. */
#include <sluice/plugin.h>

#include <stdlib.h>

static enum sluice_status output_twice(const struct sluice_call *call, const void *params)
{
    (void)params;
    sluice_output(call, "name", "first");
    sluice_output(call, "name", "last");
    return SLUICE_OK;
}

/* Claims four gigabytes behind a short text: the host must refuse by the length alone. */
static enum sluice_status output_huge(const struct sluice_call *call, const void *params)
{
    (void)params;
    enum sluice_result result =
        sluice_output_bytes(call, "huge", "short", (size_t)4 * 1024 * 1024 * 1024);
    return result == SLUICE_E_TOO_BIG
               ? sluice_fail_for_good(call, "too_big", "the host refused: too big")
               : SLUICE_OK;
}

static enum sluice_status status_57(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return (enum sluice_status)57;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("output.twice", NULL), .execute = output_twice},
    {SLUICE_TYPE("output.huge", NULL), .execute = output_huge},
    {SLUICE_TYPE("status.57", NULL), .execute = status_57},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("answers", "1.0.0", "output.twice output.huge status.57", types)
