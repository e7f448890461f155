/* A plugin that refuses to start, for job files that name its type. */
#include <sluice/plugin.h>

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    (void)host;
    (void)settings;
    (void)self;
    return sluice_error_set(err, "the key is missing");
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("locked", "Never starts."), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("locked", "1.0.0", "locked", types, .init = start)
