/* sleep: waits, and wakes at once when it is cancelled. */
#include <sluice/plugin.h>

struct sleep_params {
    int64_t duration_ns;
};

static const struct sluice_param sleep_table[] = {
    SLUICE_NAMED(DURATION, "for", struct sleep_params, duration_ns, .required = true, .min = 0,
                 .max = INT64_MAX, .help = "how long"),
    SLUICE_PARAMS_END,
};

static enum sluice_status sleep_execute(const struct sluice_call *call, const void *params)
{
    const struct sleep_params *p = params;
    return sluice_wait(call, p->duration_ns) ? SLUICE_OK : SLUICE_CANCELLED;
}

static const struct sluice_type sleep_types[] = {
    {SLUICE_TYPE("sleep", "Waits for a while."), .params = sleep_table,
     .params_size = sizeof(struct sleep_params), .flags = SLUICE_IDEMPOTENT,
     .execute = sleep_execute},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("sleep", "1.0.0", "sleep", sleep_types)
