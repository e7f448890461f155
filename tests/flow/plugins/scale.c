/* scale: what lies on it at once. Every call puts its `load` on the pan that it names for a while;
 * at the end the plugin logs the most that lay on each pan: "scale: all=7 a=3 b=4 c=0". */
#include <sluice/plugin.h>

#include <stdatomic.h>
#include <stdlib.h>

enum { PANS = 4 };

static const char *const pan_names[] = {"all", "a", "b", "c", NULL};

struct pan {
    _Atomic int64_t now, most;
};

struct scale {
    const struct sluice_host *host;
    struct pan pans[PANS];
};

struct scale_params {
    int64_t load;
    int pan;
    int64_t duration_ns;
    int64_t until;
};

static const struct sluice_param scale_table[] = {
    SLUICE_INT(struct scale_params, load, .def = "1", .min = 1, .max = 1000000, .help = "how much"),
    SLUICE_ENUM(struct scale_params, pan, .def = "all", .choices = pan_names,
                .help = "where, besides all"),
    SLUICE_NAMED(DURATION, "for", struct scale_params, duration_ns, .def = "0s", .min = 0,
                 .max = INT64_MAX, .help = "how long"),
    SLUICE_INT(struct scale_params, until, .def = "0", .min = 0, .max = 1000000,
               .help = "stays until that much has lain on it at once"),
    SLUICE_PARAMS_END,
};

static void pan_add(struct pan *pan, int64_t load)
{
    int64_t now = atomic_fetch_add(&pan->now, load) + load;
    int64_t most = atomic_load(&pan->most);
    while (now > most && !atomic_compare_exchange_weak(&pan->most, &most, now))
        continue;
}

static enum sluice_status weigh(const struct sluice_call *call, const void *params)
{
    const struct scale_params *p = params;
    struct scale *scale = sluice_self(call);

    pan_add(&scale->pans[0], p->load);
    if (p->pan > 0)
        pan_add(&scale->pans[p->pan], p->load);
    bool whole = p->duration_ns == 0 || sluice_wait(call, p->duration_ns);
    while (whole && atomic_load(&scale->pans[0].most) < p->until)
        whole = sluice_wait(call, 1000000);
    atomic_fetch_sub(&scale->pans[0].now, p->load);
    if (p->pan > 0)
        atomic_fetch_sub(&scale->pans[p->pan].now, p->load);
    return whole ? SLUICE_OK : SLUICE_CANCELLED;
}

static bool scale_create(const struct sluice_host *host, const struct sluice_settings *settings,
                         void **self, struct sluice_error *err)
{
    (void)settings;
    struct scale *scale = calloc(1, sizeof *scale);
    if (scale == NULL)
        return sluice_error_set(err, "no memory");
    scale->host = host;
    *self = scale;
    return true;
}

static void scale_destroy(void *self)
{
    struct scale *scale = self;
    sluice_host_log(scale->host, SLUICE_INFO, "scale: all=%lld a=%lld b=%lld c=%lld.",
                    (long long)scale->pans[0].most, (long long)scale->pans[1].most,
                    (long long)scale->pans[2].most, (long long)scale->pans[3].most);
    free(scale);
}

#define SCALE_TYPE(name, type_flags)                                                               \
    {                                                                                              \
        SLUICE_TYPE(name, "Puts a load on the scale."),                                            \
            .params = scale_table, .params_size = sizeof(struct scale_params),                     \
            .flags = type_flags, .execute = weigh                                                  \
    }

static const struct sluice_type scale_types[] = {
    SCALE_TYPE("scale", 0),   SCALE_TYPE("scale.b", 0),
    SCALE_TYPE("scale.c", 0), SCALE_TYPE("scale.serial", SLUICE_SERIAL),
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("scale", "1.0.0", "scale scale.b scale.c scale.serial", scale_types,
              .init = scale_create, .deinit = scale_destroy)
