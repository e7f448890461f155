/* Parameter tables that are wrong each in one way. */
#include <sluice/plugin.h>

struct fields {
    int64_t n;
    int choice;
    bool flag;
};

struct newer_row {
    struct sluice_param row;
    uint64_t unknown_to_this_host;
};

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static struct newer_row rows[] = {
    {SLUICE_INT(struct fields, n, .def = "5", .min = 1, .max = 10), 0},
    {SLUICE_PARAMS_END, 0},
    {SLUICE_PARAMS_END, 0},
};

static struct sluice_type types[] = {
    {SLUICE_TYPE("params", NULL), .params = &rows[0].row, .params_size = sizeof(struct fields),
     .execute = run},
    SLUICE_TYPES_END,
};

static bool spoil(void)
{
    struct sluice_param *row = &rows[0].row;
    for (int i = 0; i < 3; i++)
        rows[i].row.size = sizeof rows[i];
#if defined VARIANT_bad_name
    row->name = "no-dashes";
#elif defined VARIANT_no_end_size
    rows[1].row.size = 0;
#elif defined VARIANT_twice
    rows[1] = rows[0];
#elif defined VARIANT_unknown_kind
    row->kind = 99;
#elif defined VARIANT_min_over_max
    row->min = 11;
#elif defined VARIANT_default_outside
    row->def = "11";
#elif defined VARIANT_default_no_kind
    row->def = "many";
#elif defined VARIANT_offset_outside
    row->offset = 4096;
#elif defined VARIANT_offset_odd
    row->offset = 1;
#elif defined VARIANT_size_of_other
    row->field_size = 4;
#elif defined VARIANT_required_default
    row->required = true;
#elif defined VARIANT_enum_alone
    row->kind = SLUICE_KIND_ENUM;
    row->field_size = sizeof(int);
    row->min = row->max = 0;
#elif defined VARIANT_struct_huge
    types[0].params_size = 1u << 20;
#elif defined VARIANT_tail_set
    rows[0].unknown_to_this_host = 1;
#endif
    return row->name != NULL;
}

static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    (void)host;
    (void)settings;
    (void)self;
    (void)err;
    return true;
}

SLUICE_NOTE(SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, "params", "1", "params")

const struct sluice_plugin *sluice_plugin_entry(const struct sluice_host *host,
                                                struct sluice_error *err)
{
    static struct sluice_plugin plugin = {.size = sizeof plugin,
                                          .abi_major = SLUICE_ABI_MAJOR,
                                          .abi_minor = SLUICE_ABI_MINOR,
                                          .name = "params",
                                          .version = "1",
                                          .types = types,
                                          .init = start};
    (void)host;
    (void)err;
    return spoil() ? &plugin : NULL;
}
