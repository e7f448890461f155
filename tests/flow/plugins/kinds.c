/* A type with a parameter of every kind, for job files that are wrong in one of them. */
#include <sluice/plugin.h>

struct kinds_params {
    bool flag;
    int64_t number;
    double real;
    const char *text;
    int64_t span;
    uint64_t size;
    int colour;
    struct sluice_list list;
    struct sluice_map map;
    const char *any;
    int64_t pin;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct sluice_param table[] = {
    SLUICE_BOOL(struct kinds_params, flag),
    SLUICE_INT(struct kinds_params, number, .min = 1, .max = 10),
    SLUICE_FLOAT(struct kinds_params, real, .float_min = 0, .float_max = 0.5),
    SLUICE_STRING(struct kinds_params, text),
    SLUICE_DURATION(struct kinds_params, span, .min = 1, .max = 1000000000),
    SLUICE_SIZE(struct kinds_params, size),
    SLUICE_ENUM(struct kinds_params, colour, .choices = colours),
    SLUICE_LIST(struct kinds_params, list),
    SLUICE_MAP(struct kinds_params, map),
    SLUICE_ANY(struct kinds_params, any),
    SLUICE_INT(struct kinds_params, pin, .secret = true),
    SLUICE_PARAMS_END,
};

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    const struct kinds_params *p = params;
    if (p->any != NULL)
        sluice_output(call, "any", p->any);
    if (p->text != NULL)
        sluice_output(call, "text", p->text);
    return SLUICE_OK;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("kinds", "A parameter of every kind."), .params = table,
     .params_size = sizeof(struct kinds_params), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("kinds", "1.0.0", "kinds", types)
