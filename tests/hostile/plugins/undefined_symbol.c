/* Calls a function that no library has. */
#include <sluice/plugin.h>

void nobody_has_this_function(void);

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    nobody_has_this_function();
    return SLUICE_OK;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("undefined", NULL), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("undefined", "1.0.0", "undefined", types)
