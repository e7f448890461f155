/* Descriptors that are wrong each in one way, or of a newer SDK with larger structs. */
#include <sluice/plugin.h>

struct newer_type {
    struct sluice_type type;
    uint64_t unknown_to_this_host;
};

struct newer_plugin {
    struct sluice_plugin plugin;
    uint64_t unknown_to_this_host;
};

#if defined VARIANT_taken_type
#define TYPE "noop"
#else
#define TYPE "descriptor"
#endif

#if defined VARIANT_tail_zero || defined VARIANT_type_tail_zero
#define MINOR (SLUICE_ABI_MINOR + 5)
#else
#define MINOR SLUICE_ABI_MINOR
#endif

#if defined VARIANT_fewer_types
SLUICE_NOTE(SLUICE_ABI_MAJOR, MINOR, "descriptor", "1", TYPE " second")
#else
SLUICE_NOTE(SLUICE_ABI_MAJOR, MINOR, "descriptor", "1", TYPE)
#endif

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static struct newer_type types[] = {
    {{SLUICE_TYPE(TYPE, NULL), .execute = run}, 0},
    {{SLUICE_TYPE(NULL, NULL)}, 0},
    {{SLUICE_TYPE(NULL, NULL)}, 0},
};

static struct newer_plugin plugin = {
    {.size = sizeof(struct sluice_plugin),
     .abi_major = SLUICE_ABI_MAJOR,
     .abi_minor = MINOR,
     .name = "descriptor",
     .version = "1",
     .types = &types[0].type},
    0};

const struct sluice_plugin *sluice_plugin_entry(const struct sluice_host *host,
                                                struct sluice_error *err)
{
    (void)host;
    (void)err;
    for (int i = 0; i < 3; i++)
        types[i].type.size = sizeof types[i];
#if defined VARIANT_size_zero
    plugin.plugin.size = 0;
#elif defined VARIANT_size_huge
    plugin.plugin.size = UINT32_MAX;
#elif defined VARIANT_size_small
    plugin.plugin.size = 24;
#elif defined VARIANT_tail_zero
    plugin.plugin.size = sizeof plugin;
#elif defined VARIANT_tail_set
    plugin.plugin.size = sizeof plugin;
    plugin.unknown_to_this_host = 1;
#elif defined VARIANT_no_name
    plugin.plugin.name = NULL;
#elif defined VARIANT_no_version
    plugin.plugin.version = NULL;
#elif defined VARIANT_no_table
    plugin.plugin.types = NULL;
#elif defined VARIANT_other_name
    plugin.plugin.name = "another";
#elif defined VARIANT_other_version
    plugin.plugin.version = "2";
#elif defined VARIANT_other_abi
    plugin.plugin.abi_minor++;
#elif defined VARIANT_other_type
    types[0].type.name = "another";
#elif defined VARIANT_more_types
    types[1].type = types[0].type;
    types[1].type.name = "second";
#elif defined VARIANT_no_types
    types[0].type.name = NULL;
#elif defined VARIANT_no_execute
    types[0].type.execute = NULL;
#elif defined VARIANT_type_size_zero
    types[0].type.size = 0;
#elif defined VARIANT_type_tail_set
    types[0].unknown_to_this_host = 1;
#elif defined VARIANT_flags_unknown
    types[0].type.flags = 1u << 20;
#elif defined VARIANT_process_only
    types[0].type.flags = SLUICE_PROCESS_ONLY;
#elif defined VARIANT_bad_weight
    types[0].type.weight = -2;
#elif defined VARIANT_bad_jitter
    types[0].type.retry.jitter = 2;
#elif defined VARIANT_params_size_alone
    types[0].type.params_size = 8;
#endif
    return &plugin.plugin;
}
