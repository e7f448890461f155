/* Linked with an executable stack. */
#include <sluice/plugin.h>

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("exec_stack", NULL), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("exec_stack", "1.0.0", "exec_stack", types)
