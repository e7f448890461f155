/* noop: a task that does nothing, for measuring the host and for trying out job files. */
#include <sluice/plugin.h>

struct noop_params {
    int64_t n;
};

static const struct sluice_param noop_table[] = {
    SLUICE_INT(struct noop_params, n, .help = "any number; nothing is done with it"),
    SLUICE_PARAMS_END,
};

static enum sluice_status noop(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static const struct sluice_type noop_types[] = {
    {SLUICE_TYPE("noop", "Does nothing."), .params = noop_table,
     .params_size = sizeof(struct noop_params), .flags = SLUICE_IDEMPOTENT, .execute = noop},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("noop", "1.0.0", "noop", noop_types)
