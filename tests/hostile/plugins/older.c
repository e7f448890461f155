/* A good plugin as the SDK of an older minor version made it: its own numbers, rows of the size that
 * they had, and of the host's table nothing that is younger. It tells what it got in its failure. */
#include <sluice/plugin.h>

#if defined VARIANT_1_0
enum { MINOR = 0, ROW_BYTES = 88, HOST_BYTES = 160 };
#else
enum { MINOR = 1, ROW_BYTES = 96, HOST_BYTES = 160 };
#endif

struct fields {
    const char *word;
    int64_t n;
};

/* sizeof(struct sluice_param) was ROW_BYTES then. */
struct row {
    _Alignas(8) unsigned char bytes[ROW_BYTES];
};

static struct row rows[3];

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    const struct fields *fields = params;
    if (call->host->size < HOST_BYTES)
        return SLUICE_OK;
    sluice_log(call, SLUICE_INFO, "I am older");
    return sluice_fail_for_good(call, "got", "1.%d: %s %d", MINOR, fields->word, (int)fields->n);
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("older", NULL), .params = (const struct sluice_param *)(const void *)rows,
     .params_size = sizeof(struct fields), .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_NOTE(SLUICE_ABI_MAJOR, MINOR, "older", "1", "older")

static void row_write(struct row *row, struct sluice_param param)
{
    param.size = ROW_BYTES;
    memcpy(row, &param, sizeof *row);
}

const struct sluice_plugin *sluice_plugin_entry(const struct sluice_host *host,
                                                struct sluice_error *err)
{
    static const struct sluice_plugin plugin = {.size = sizeof plugin,
                                                .abi_major = SLUICE_ABI_MAJOR,
                                                .abi_minor = MINOR,
                                                .name = "older",
                                                .version = "1",
                                                .types = types};
    const struct sluice_param word = SLUICE_STRING(struct fields, word, .required = true);
    const struct sluice_param n = SLUICE_INT(struct fields, n, .def = "7", .min = 1, .max = 9);
    const struct sluice_param end = SLUICE_PARAMS_END;
    row_write(&rows[0], word);
    row_write(&rows[1], n);
    row_write(&rows[2], end);
    return sluice_host_fits(host, err) ? &plugin : NULL;
}
