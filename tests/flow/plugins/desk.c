/* desk: watches that every worker is set up once for each type, and cleared up as often. A call
 * without its worker's desk fails; at the end the plugin logs "desks: 5 set up, 5 cleared". */
#include <sluice/plugin.h>

#include <stdatomic.h>
#include <stdlib.h>

struct desks {
    const struct sluice_host *host;
    _Atomic int64_t set_up, cleared;
};

struct desk {
    struct desks *desks;
    bool *taken; /* of this thread and type */
};

struct desk_params {
    int64_t duration_ns;
};

static const struct sluice_param desk_table[] = {
    SLUICE_NAMED(DURATION, "for", struct desk_params, duration_ns, .def = "0s", .min = 0,
                 .max = INT64_MAX, .help = "how long"),
    SLUICE_PARAMS_END,
};

static _Thread_local bool taken_a, taken_b;

static bool set_up(void *self, bool *taken, void **worker, struct sluice_error *err)
{
    struct desks *desks = self;
    if (*taken)
        return sluice_error_set(err, "set up twice");
    struct desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return sluice_error_set(err, "no memory");
    *taken = true;
    *desk = (struct desk){desks, taken};
    *worker = desk;
    atomic_fetch_add(&desks->set_up, 1);
    return true;
}

static bool set_up_a(void *self, void **worker, struct sluice_error *err)
{
    return set_up(self, &taken_a, worker, err);
}

static bool set_up_b(void *self, void **worker, struct sluice_error *err)
{
    return set_up(self, &taken_b, worker, err);
}

static void clear(void *self, void *worker)
{
    struct desk *desk = worker;
    (void)self;
    *desk->taken = false;
    atomic_fetch_add(&desk->desks->cleared, 1);
    free(desk);
}

static enum sluice_status sit(const struct sluice_call *call, const void *params)
{
    const struct desk_params *p = params;
    const struct desk *desk = sluice_worker(call);
    if (desk == NULL || !*desk->taken)
        return sluice_fail(call, "no_desk", "not the desk of this thread");
    if (p->duration_ns > 0)
        sluice_wait(call, p->duration_ns);
    return SLUICE_OK;
}

static bool desks_create(const struct sluice_host *host, const struct sluice_settings *settings,
                         void **self, struct sluice_error *err)
{
    (void)settings;
    struct desks *desks = calloc(1, sizeof *desks);
    if (desks == NULL)
        return sluice_error_set(err, "no memory");
    desks->host = host;
    *self = desks;
    return true;
}

static void desks_destroy(void *self)
{
    struct desks *desks = self;
    sluice_host_log(desks->host, SLUICE_INFO, "desks: %lld set up, %lld cleared",
                    (long long)desks->set_up, (long long)desks->cleared);
    free(desks);
}

#define DESK_TYPE(name, init)                                                                      \
    {                                                                                              \
        SLUICE_TYPE(name, "Sits at its worker's desk."),                                           \
            .params = desk_table, .params_size = sizeof(struct desk_params), .execute = sit,       \
            .worker_init = init, .worker_exit = clear                                              \
    }

static const struct sluice_type desk_types[] = {
    DESK_TYPE("desk.a", set_up_a),
    DESK_TYPE("desk.b", set_up_b),
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("desk", "1.0.0", "desk.a desk.b", desk_types, .init = desks_create,
              .deinit = desks_destroy)
