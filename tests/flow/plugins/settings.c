/* settings: shows what its section of the configuration says, as outputs of a task. */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 16

struct settings {
    size_t count;
    char *keys[PAIRS_MAX], *values[PAIRS_MAX];
};

/* Settings live until init returns, so they are copied. */
static bool settings_init(const struct sluice_host *host, const struct sluice_settings *given,
                          void **self, struct sluice_error *err)
{
    struct settings *kept = calloc(1, sizeof *kept);

    (void)host;
    if (kept == NULL || given->count > PAIRS_MAX) {
        free(kept);
        return sluice_error_set(err, "no room for %u settings", given->count);
    }
    for (; kept->count < given->count; kept->count++) {
        kept->keys[kept->count] = strdup(given->pairs[kept->count].key);
        kept->values[kept->count] = strdup(given->pairs[kept->count].value);
    }
    *self = kept;
    return true;
}

static void settings_deinit(void *self)
{
    struct settings *kept = self;

    for (size_t i = 0; i < kept->count; i++) {
        free(kept->keys[i]);
        free(kept->values[i]);
    }
    free(kept);
}

static enum sluice_status settings_show(const struct sluice_call *call, const void *params)
{
    const struct settings *kept = sluice_self(call);

    (void)params;
    for (size_t i = 0; i < kept->count; i++)
        sluice_output(call, kept->keys[i], kept->values[i]);
    return SLUICE_OK;
}

static const struct sluice_type settings_types[] = {
    {SLUICE_TYPE("settings", "Shows its settings as outputs."), .execute = settings_show},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("settings", "1.0.0", "settings", settings_types, .init = settings_init,
              .deinit = settings_deinit)
