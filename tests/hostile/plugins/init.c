/* Inits that refuse or never answer; without a variant, one that tells its settings. */
#include <sluice/plugin.h>

#include <unistd.h>

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)params;
    const char *setting = (const char *)sluice_self(call);
    sluice_output(call, "setting", setting == NULL ? "none" : setting);
    return SLUICE_OK;
}

static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
#if defined VARIANT_refuses
    (void)settings;
    (void)self;
    (void)host;
    return sluice_error_set(err, "no key");
#elif defined VARIANT_silent
    (void)settings;
    (void)self;
    (void)host;
    (void)err;
    return false;
#elif defined VARIANT_hangs
    (void)settings;
    (void)self;
    (void)host;
    (void)err;
    while (pause() < 0)
        continue;
    return true;
#else
    static char kept[64];
    (void)err;
    sluice_host_log(host, SLUICE_INFO, "init with %u settings", settings->count);
    if (settings->count > 0) {
        snprintf(kept, sizeof kept, "%s=%s", settings->pairs[0].key, settings->pairs[0].value);
        *self = kept;
    }
    return true;
#endif
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("init", NULL), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("init", "1.0.0", "init", types, .init = start)
