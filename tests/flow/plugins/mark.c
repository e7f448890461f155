/* mark: says of every number whether a task with it ran, and fails a task whose number ran before.
 * Three types, so that the marks come from several groups. Setting `most`: the numbers are less. */
#include <sluice/plugin.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct marks {
    const struct sluice_host *host;
    int64_t most;
    _Atomic int64_t count;
    _Atomic uint64_t words[];
};

struct mark_params {
    int64_t n;
};

static const struct sluice_param mark_table[] = {
    SLUICE_INT(struct mark_params, n, .required = true, .help = "the number"),
    SLUICE_PARAMS_END,
};

static enum sluice_status mark(const struct sluice_call *call, const void *params)
{
    const struct mark_params *p = params;
    struct marks *marks = sluice_self(call);

    if (p->n < 0 || p->n >= marks->most)
        return sluice_fail(call, "out_of_range", "%lld", (long long)p->n);
    uint64_t bit = UINT64_C(1) << p->n % 64;
    if ((atomic_fetch_or(&marks->words[p->n / 64], bit) & bit) != 0)
        return sluice_fail(call, "twice", "%lld ran before", (long long)p->n);
    atomic_fetch_add(&marks->count, 1);
    return SLUICE_OK;
}

static bool marks_create(const struct sluice_host *host, const struct sluice_settings *settings,
                         void **self, struct sluice_error *err)
{
    int64_t most = 1000000;
    for (uint32_t i = 0; i < settings->count; i++)
        if (strcmp(settings->pairs[i].key, "most") == 0)
            most = strtoll(settings->pairs[i].value, NULL, 10);
    size_t words = (size_t)most / 64 + 1;
    struct marks *marks = calloc(1, sizeof *marks + words * sizeof marks->words[0]);
    if (marks == NULL)
        return sluice_error_set(err, "no memory");
    marks->host = host;
    marks->most = most;
    *self = marks;
    return true;
}

static void marks_destroy(void *self)
{
    struct marks *marks = self;
    sluice_host_log(marks->host, SLUICE_INFO, "%lld numbers ran", (long long)marks->count);
    free(marks);
}

#define MARK_TYPE(name)                                                                            \
    {                                                                                              \
        SLUICE_TYPE(name, "Marks a number."),                                                      \
            .params = mark_table, .params_size = sizeof(struct mark_params), .execute = mark       \
    }

static const struct sluice_type mark_types[] = {
    MARK_TYPE("mark"),
    MARK_TYPE("mark.b"),
    MARK_TYPE("mark.c"),
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("mark", "1.0.0", "mark mark.b mark.c", mark_types, .init = marks_create,
              .deinit = marks_destroy)
