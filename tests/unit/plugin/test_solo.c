#include <criterion/criterion.h>

#include "plugin/solo.h"

#define HOSTILE TEST_BUILD_DIR "/tests/hostile/"

static const struct sluice_pair settings[] = {{"key", "value"}};

static struct error error;

static struct solo *load(const char *path, enum solo_step step)
{
    struct solo_order order = {.path = path, .settings = settings, .settings_count = 1};
    return solo_load(&order, step, &error);
}

static void refused(const char *path, enum solo_step step, const char *why)
{
    cr_assert_null(load(path, step), "%s", path);
    cr_assert_str_eq(error.message, why);
}

Test(solo, offers_what_the_note_names)
{
    uint32_t count;
    struct solo *solo = load(TEST_BUILD_DIR "/plugins/noop.so", SOLO_INITIALISED);
    cr_assert_not_null(solo, "%s", error.message);
    const struct offer *offers = solo_offers(solo, &count);
    cr_assert_eq(count, 1);
    cr_assert_str_eq(offers[0].type->name, "noop");
    cr_assert_eq(offers[0].index, 0);
    cr_assert_eq(offers[0].params.count, 1);
    cr_assert_not_null(offers[0].execute);
    cr_assert_null(offers[0].generation);
    cr_assert_str_eq(solo_plugin(solo), "noop");
    cr_assert_str_eq(solo_version(solo), "1.0.0");
    cr_assert(solo_unload(&solo));
    cr_assert_null(solo);
}

Test(solo, gives_init_the_settings_of_its_plugin)
{
    struct solo *solo = load(HOSTILE "init.so", SOLO_INITIALISED);
    cr_assert_not_null(solo, "%s", error.message);
    cr_assert_str_eq(solo_self(solo), "key=value");
    cr_assert(solo_unload(&solo));
}

Test(solo, does_not_run_init_if_it_is_only_to_enter)
{
    struct solo *solo = load(HOSTILE "init_refuses.so", SOLO_ENTERED);
    cr_assert_not_null(solo, "%s", error.message);
    cr_assert_null(solo_self(solo));
    cr_assert(solo_unload(&solo));
    refused(HOSTILE "init_refuses.so", SOLO_INITIALISED, "init refused: no key");
}

Test(solo, refuses_as_the_host_does)
{
    refused("/nowhere/x.so", SOLO_ENTERED, "cannot be opened: No such file or directory");
    refused("/proc/self/cmdline", SOLO_ENTERED, "not an ELF shared object");
    refused(HOSTILE "entry_refuses.so", SOLO_ENTERED, "entry refused: the licence ended in 1999");
    refused(HOSTILE "entry_missing.so", SOLO_ENTERED, "no function sluice_plugin_entry");
    refused(HOSTILE "descriptor_no_name.so", SOLO_ENTERED, "descriptor: name is NULL");
    refused(HOSTILE "params_bad_name.so", SOLO_ENTERED,
            "type 'params': parameter 'no-dashes': invalid name");
}

Test(solo, can_load_the_same_file_again)
{
    for (int i = 0; i < 3; i++) {
        struct solo *solo = load(HOSTILE "ending.so", SOLO_INITIALISED);
        cr_assert_not_null(solo, "%s", error.message);
        cr_assert_eq(*(int *)solo_self(solo), 0, "it is another copy each time");
        cr_assert(solo_unload(&solo));
    }
}

Test(solo, says_that_a_plugin_stays_mapped)
{
    struct solo *solo = load(HOSTILE "ending_stays.so", SOLO_INITIALISED);
    cr_assert_not_null(solo, "%s", error.message);
    cr_assert_not(solo_unload(&solo));
    cr_assert_null(solo);
}

Test(solo, of_none_is_unloaded)
{
    struct solo *none = NULL;
    cr_assert(solo_unload(&none));
}
