/* greet: says hello. Give it your parameters and your work; `make` builds it, `make test` tries
 * it. */
#include <sluice/plugin.h>

/* What a job file says under `params:`, as the host hands it to you. */
struct greet_params {
    const char *name;
    int64_t times;
    int64_t pause;
};

static const struct sluice_param greet_table[] = {
    SLUICE_STRING(struct greet_params, name, .def = "world", .help = "who is told hello"),
    SLUICE_INT(struct greet_params, times, .def = "1", .min = 1, .max = 100, .help = "how often"),
    SLUICE_DURATION(struct greet_params, pause, .def = "0s", .help = "after each hello"),
    SLUICE_PARAMS_END,
};

/* Runs one task, on a worker thread, perhaps beside others of its kind: no state in globals. */
static enum sluice_status greet_execute(const struct sluice_call *call, const void *params)
{
    const struct greet_params *p = params;
    char text[128];

    for (int64_t i = 0; i < p->times; i++) {
        sluice_log(call, SLUICE_INFO, "hello, %s", p->name);
        if (!sluice_wait(call, p->pause)) /* cancelled: leave soon */
            return SLUICE_CANCELLED;
    }
    if (snprintf(text, sizeof text, "hello, %s", p->name) >= (int)sizeof text)
        return sluice_fail_for_good(call, "name_too_long", "no card is as wide as '%s'", p->name);
    sluice_output(call, "card", text);
    return SLUICE_OK;
}

static const struct sluice_type greet_types[] = {
    {SLUICE_TYPE("greet", "Says hello."), .params = greet_table,
     .params_size = sizeof(struct greet_params), .flags = SLUICE_IDEMPOTENT,
     .execute = greet_execute},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("greet", "1.0.0", "greet", greet_types)
