#include <criterion/criterion.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include "files.h"
#include "plugin/generation.h"
#include "plugin/image.h"
#include "support/clock.h"

static struct note note;
static struct error error;
static uint32_t left_behind;

static void setup(void)
{
    files_folder();
}

static void teardown(void)
{
    note_fini(&note);
    files_remove();
}

TestSuite(generation, .init = setup, .fini = teardown, .timeout = 60);

static struct generation *load(const char *from)
{
    static const struct type type = {"ending", 0};
    static const struct type *const types[] = {&type};
    files_copy(from, "copy.so");
    int fd = open(files_path("copy.so"), O_RDONLY);
    cr_assert(image_check(fd, &note, &error), "%s", error.message);
    close(fd);
    struct generation_origin origin = {.note = &note,
                                       .file = "ending.so",
                                       .copy = files_path("copy.so"),
                                       .number = 7,
                                       .types = types,
                                       .start_limit_ns = 10 * NS_PER_S};
    struct generation *generation = generation_load(&origin, &left_behind, &error);
    cr_assert_not_null(generation, "%s", error.message);
    return generation;
}

Test(generation, is_named_by_its_note_and_counted)
{
    struct generation *generation = load(TEST_BUILD_DIR "/tests/hostile/ending.so");
    cr_assert_str_eq(generation->plugin, "ending");
    cr_assert_str_eq(generation->version, "1.0.0");
    cr_assert_str_eq(generation->file, "ending.so");
    cr_assert_eq(generation->number, 7);
    cr_assert_eq(generation->offers_count, 1);
    cr_assert_eq(generation_offer(generation, generation->offers[0].type), generation->offers);
    cr_assert_null(generation_offer(generation, &(struct type){"ending", 0}));
    cr_assert_eq(generation_unload(&generation, NS_PER_S, &left_behind), GENERATION_GONE);
    cr_assert_null(generation);
    cr_assert_eq(left_behind, 0);
}

Test(generation, that_stays_mapped_after_dlclose_is_pinned)
{
    struct generation *generation = load(TEST_BUILD_DIR "/tests/hostile/ending_stays.so");
    const int *ends = generation->self;
    cr_assert_eq(generation_unload(&generation, NS_PER_S, &left_behind), GENERATION_PINNED);
    cr_assert_eq(*ends, 1); /* its memory is still there, and deinit was called */
    cr_assert_eq(left_behind, 0);
}

Test(generation, whose_deinit_hangs_is_pinned_and_its_thread_counted)
{
    struct generation *generation = load(TEST_BUILD_DIR "/tests/hostile/ending_hangs.so");
    cr_assert_eq(generation_unload(&generation, NS_PER_MS, &left_behind), GENERATION_PINNED);
    cr_assert_eq(left_behind, 1);
    cr_assert_not_null(dlopen(files_path("copy.so"), RTLD_NOW | RTLD_NOLOAD));
}

Test(generation, has_a_word_for_every_state)
{
    cr_assert_str_eq(generation_state_word(GENERATION_FOUND), "found");
    cr_assert_str_eq(generation_state_word(GENERATION_REJECTED), "rejected");
}
