#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/note.h"

struct bytes {
    struct sluice_note_desc fixed;
    char texts[64];
};

static struct note note;
static struct error error;

static bool parse(const char *texts, size_t texts_bytes)
{
    struct bytes bytes = {{SLUICE_NOTE_MAGIC, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, sizeof(void *)},
                          ""};
    memcpy(bytes.texts, texts, texts_bytes);
    memset(&note, 0, sizeof note);
    return note_parse(&note, &bytes, sizeof bytes.fixed + texts_bytes, &error);
}

Test(note, names_the_plugin_its_version_and_types)
{
    static const char texts[] = "image\0001.2.0\0resize rotate.left";
    cr_assert(parse(texts, sizeof texts), "%s", error.message);
    cr_assert_str_eq(note.name, "image");
    cr_assert_str_eq(note.version, "1.2.0");
    cr_assert_eq(note.types_count, 2);
    cr_assert_str_eq(note.types[1], "rotate.left");
    note_fini(&note);
}

Test(note, texts_that_do_not_fill_it_exactly_are_malformed)
{
    static const char texts[] = "image\0001\0resize";
    for (size_t bytes = 0; bytes < sizeof texts; bytes++) {
        cr_assert_not(parse(texts, bytes));
        cr_assert_str_eq(error.message, "malformed note: its texts do not end where it ends");
    }
    cr_assert_not(parse("image\0001\0resize\0", sizeof texts + 1));
}

Test(note, names_are_checked)
{
    cr_assert_not(parse("Image\0001\0a", 10));
    cr_assert_str_eq(error.message, "invalid plugin name 'Image'");
    cr_assert_not(parse("image\0\0a", 9));
    cr_assert_str_eq(error.message, "invalid version ''");
    cr_assert_not(parse("image\0001\0a  b", 13));
    cr_assert_str_eq(error.message, "invalid type name ''");
    cr_assert_not(parse("image\0001\0a b a", 14));
    cr_assert_str_eq(error.message, "type 'a' stands twice");
    cr_assert_not(parse("image\0001\0", 9));
    cr_assert_str_eq(error.message, "no types");
}

Test(note, another_abi_is_named)
{
    struct sluice_note_desc fixed = {SLUICE_NOTE_MAGIC, SLUICE_ABI_MAJOR + 1, 3, sizeof(void *)};
    memset(&note, 0, sizeof note);
    cr_assert_not(note_parse(&note, &fixed, sizeof fixed, &error));
    cr_assert_str_eq(error.message, "needs Sluice ABI 2, this host offers 1.2");
    fixed.abi_major = SLUICE_ABI_MAJOR;
    fixed.pointer_size = 4;
    cr_assert_not(note_parse(&note, &fixed, sizeof fixed, &error));
    cr_assert_str_eq(error.message, "built for pointers of 4 bytes, this host has 8");
}

Test(note, random_bytes_never_take_it_out_of_its_bounds)
{
    unsigned seed = 1;
    for (int round = 0; round < 20000; round++) {
        size_t bytes = (size_t)(rand_r(&seed) % 64);
        unsigned char *raw = malloc(bytes + (bytes == 0));
        for (size_t i = 0; i < bytes; i++)
            raw[i] = (unsigned char)(rand_r(&seed) % 8 == 0 ? 0 : 'a' + rand_r(&seed) % 26);
        struct sluice_note_desc fixed = {SLUICE_NOTE_MAGIC, SLUICE_ABI_MAJOR, 0, sizeof(void *)};
        if (bytes >= sizeof fixed && round % 2 == 0)
            memcpy(raw, &fixed, sizeof fixed);
        memset(&note, 0, sizeof note);
        if (note_parse(&note, raw, bytes, &error))
            cr_assert_gt(note.types_count, 0);
        note_fini(&note);
        free(raw);
    }
}
