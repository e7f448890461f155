/* Ends well; its variants stay mapped after dlclose, or never come back from deinit. */
#include <sluice/plugin.h>

#include <unistd.h>

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    static int ends;
    (void)host;
    (void)settings;
    (void)err;
    *self = &ends;
    return true;
}

static void end(void *self)
{
    int *ends = (int *)self;
    ++*ends;
#if defined VARIANT_hangs
    while (pause() < 0)
        continue;
#endif
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("ending", NULL), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("ending", "1.0.0", "ending", types, .init = start, .deinit = end)
