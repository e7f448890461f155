/* The plugin hash in its static form. */
#define SLUICE_STATIC
#define SLUICE_ENTRY hash_entry
#include "../../../plugins/hash/hash.c"

#include <criterion/criterion.h>

#include "fake_host.h"

static struct fake fake;
static char folder[] = "/tmp/sluice-test-XXXXXX";
static char path[sizeof folder + 16];

static void setup(void)
{
    fake_init(&fake);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
}

static void teardown(void)
{
    unlink(path);
    rmdir(folder);
    fake_fini(&fake);
}

TestSuite(hash, .init = setup, .fini = teardown, .timeout = 60);

static void file_write(const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static enum sluice_status hash_file(const char *algorithm, const char *expect)
{
    struct sluice_error err = {.size = sizeof err};
    const struct sluice_plugin *plugin = hash_entry(fake_host(), &err);
    cr_assert_not_null(plugin, "%s", err.message);
    cr_assert(plugin->init(fake_host(), NULL, &fake.call.self, &err), "%s", err.message);
    struct hash_params p = {.path = path, .algorithm = algorithm, .expect = expect};
    return fake_execute(&fake, plugin->types, &p);
}

Test(hash, the_digests_are_those_of_the_standards)
{
    file_write("abc");
    cr_assert_eq(hash_file("sha256", NULL), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "digest"),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_assert_eq(hash_file("md5", NULL), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "digest"), "900150983cd24fb0d6963f7d28e17f72");
    cr_assert_eq(hash_file("sha3-256", NULL), SLUICE_OK);
    cr_assert_str_eq(fake_output(&fake, "digest"),
                     "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
}

Test(hash, progress_reaches_the_size_of_the_file)
{
    file_write("abc");
    hash_file("sha256", NULL);
    cr_assert_eq(fake.progress_done, 3);
    cr_assert_eq(fake.progress_total, 3);
}

Test(hash, an_expected_digest_may_be_written_in_capitals)
{
    file_write("abc");
    cr_assert_eq(hash_file("md5", "900150983CD24FB0D6963F7D28E17F72"), SLUICE_OK);
}

Test(hash, a_mismatch_names_both_digests)
{
    file_write("abd");
    cr_assert_eq(hash_file("md5", "900150983cd24fb0d6963f7d28e17f72"), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_code, "mismatch");
    cr_assert_str_eq(fake.fail_message, "digest is 4911e516e5aa21d327512e0c8b197616, expected "
                                        "900150983cd24fb0d6963f7d28e17f72");
}

Test(hash, an_unknown_algorithm_fails_for_good)
{
    cr_assert_eq(hash_file("sha257", NULL), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_message, "unknown algorithm 'sha257'");
}

Test(hash, a_file_that_cannot_be_opened_is_named)
{
    cr_assert_eq(hash_file("sha256", NULL), SLUICE_FAILED);
    cr_assert_str_eq(fake.fail_code, "cannot_open");
    cr_assert_not_null(strstr(fake.fail_message, path));
    cr_assert_not_null(strstr(fake.fail_message, "No such file or directory"));
}

Test(hash, a_fifo_or_folder_is_refused_and_does_not_hang)
{
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(hash_file("sha256", NULL), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_code, "not_a_file");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_eq(hash_file("sha256", NULL), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(fake.fail_code, "not_a_file");
    rmdir(path);
}

Test(hash, a_cancelled_call_stops)
{
    file_write("abc");
    fake_cancel(&fake);
    cr_assert_eq(hash_file("sha256", NULL), SLUICE_CANCELLED);
    cr_assert_null(fake_output(&fake, "digest"));
}
