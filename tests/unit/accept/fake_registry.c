#include "fake_registry.h"

#include <assert.h>
#include <string.h>

#include "support/units.h"

struct noop_params {
    int64_t n;
};

struct need_params {
    const char *what;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct sluice_param noop_rows[] = {
    SLUICE_INT(struct noop_params, n),
    SLUICE_PARAMS_END,
};

static const struct sluice_param need_rows[] = {
    SLUICE_STRING(struct need_params, what, .required = true),
    SLUICE_PARAMS_END,
};

static const struct sluice_param full_rows[] = {
    SLUICE_BOOL(struct full_params, flag),
    SLUICE_INT(struct full_params, number, .min = 1, .max = 10),
    SLUICE_FLOAT(struct full_params, real),
    SLUICE_STRING(struct full_params, text),
    SLUICE_DURATION(struct full_params, span),
    SLUICE_SIZE(struct full_params, size),
    SLUICE_ENUM(struct full_params, colour, .choices = colours),
    SLUICE_LIST(struct full_params, list),
    SLUICE_MAP(struct full_params, map),
    SLUICE_ANY(struct full_params, any),
    SLUICE_PARAMS_END,
};

static const struct type types[] = {{"full", 0}, {"heavy", 1}, {"need", 2}, {"noop", 3}};

static struct offer offers[] = {
    {.type = &types[0], .weight = 1},
    {.type = &types[1],
     .weight = 60,
     .timeout_ns = 5,
     .retry = {.attempts = 4, .delay_ns = 7, .backoff = SLUICE_BACKOFF_LINEAR}},
    {.type = &types[2], .weight = SLUICE_WEIGHT_AUTO},
    {.type = &types[3], .weight = 1},
};

static void tables_init(void)
{
    static bool done;
    struct error error;
    if (done)
        return;
    done = true;
    bool right = param_table_init(&offers[0].params, full_rows, sizeof(struct full_params), &error);
    right &= param_table_init(&offers[2].params, need_rows, sizeof(struct need_params), &error);
    right &= param_table_init(&offers[3].params, noop_rows, sizeof(struct noop_params), &error);
    assert(right);
}

const struct offer *fake_offer(const char *name)
{
    tables_init();
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++)
        if (strcmp(offers[i].type->name, name) == 0)
            return &offers[i];
    return NULL;
}

enum registry_answer registry_find(struct registry *registry, const char *name, size_t length,
                                   const struct offer **offer, struct error *error)
{
    (void)registry;
    assert(strlen(name) == length);
    *offer = fake_offer(name);
    if (*offer != NULL)
        return REGISTRY_FOUND;
    if (strcmp(name, "broken") != 0)
        return REGISTRY_UNKNOWN;
    error_set(error, "refused", "broken.so: truncated");
    return REGISTRY_REFUSED;
}

enum registry_answer registry_peek(struct registry *registry, const char *name, size_t length,
                                   const struct offer **offer, struct error *error)
{
    return registry_find(registry, name, length, offer, error);
}

void registry_unpin(struct registry *registry, const struct offer *offer)
{
    (void)registry;
    (void)offer;
}

uint32_t registry_version(struct registry *registry)
{
    (void)registry;
    return 0;
}

void registry_visit_types(struct registry *registry,
                          void (*visit)(void *context, const char *type, const char *plugin),
                          void *context)
{
    (void)registry;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        visit(context, types[i].name, "fake");
}
