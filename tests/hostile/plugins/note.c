/* Notes that are wrong each in one way; the code behind them would do. */
#include <sluice/plugin.h>

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("note", NULL), .execute = run},
    SLUICE_TYPES_END,
};

const struct sluice_plugin *sluice_plugin_entry(const struct sluice_host *host,
                                                struct sluice_error *err)
{
    static const struct sluice_plugin plugin = {.size = sizeof plugin,
                                                .abi_major = SLUICE_ABI_MAJOR,
                                                .abi_minor = SLUICE_ABI_MINOR,
                                                .name = "note",
                                                .version = "1",
                                                .types = types};
    (void)host;
    (void)err;
    return &plugin;
}

#define RAW(namesz, descsz, magic)                                                                 \
    static const struct {                                                                          \
        uint32_t sizes[2], type;                                                                   \
        char vendor[8];                                                                            \
        struct sluice_note_desc desc;                                                              \
        char texts[12];                                                                            \
    } raw __attribute__((section(".note.sluice"), used, aligned(4), SLUICE_NO_RED_ZONE)) = {       \
        {namesz, descsz},          1,           SLUICE_NOTE_VENDOR,                                \
        {magic, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, 8}, "note\0001\0note"}

#if defined VARIANT_two
SLUICE_NOTE(SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, "note", "1", "note")
RAW(7, 24, SLUICE_NOTE_MAGIC);
#elif defined VARIANT_huge
RAW(0xfffffff0u, 0xfffffff0u, SLUICE_NOTE_MAGIC);
#elif defined VARIANT_other_magic
RAW(7, 24, 7);
#elif defined VARIANT_short
RAW(7, 4, SLUICE_NOTE_MAGIC);
#elif defined VARIANT_unterminated
RAW(7, 23, SLUICE_NOTE_MAGIC);
#elif defined VARIANT_other_major
SLUICE_NOTE(SLUICE_ABI_MAJOR + 1, 0, "note", "1", "note")
#elif defined VARIANT_no_types
SLUICE_NOTE(SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, "note", "1", "")
#elif defined VARIANT_type_twice
SLUICE_NOTE(SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, "note", "1", "note other note")
#elif defined VARIANT_bad_type
SLUICE_NOTE(SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, "note", "1", "Note")
#endif
