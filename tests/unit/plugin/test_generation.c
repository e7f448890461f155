#include <criterion/criterion.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include "files.h"
#include "plugin/generation.h"
#include "plugin/image.h"
#include "support/clock.h"
#include "support/thread.h"

static struct note note;
static struct error error;
static struct generation_house house;
static struct starts starts;
static struct loader_work work;
static struct mutex lock;
static struct cond changed;
static enum generation_state settled[4]; /* guarded by lock */
static unsigned settled_count;           /* guarded by lock */

static void on_settled(void *context, struct generation *generation, enum generation_state state,
                       const struct error *why)
{
    (void)context;
    (void)generation;
    MUTEX_GUARD(&lock);
    settled[settled_count++] = state;
    if (why != NULL)
        error = *why;
    cond_broadcast(&changed);
}

static void setup(void)
{
    files_folder();
    mutex_init(&lock);
    cond_init(&changed);
    house = (struct generation_house){.loader = loader_create(&error),
                                      .starts = &starts,
                                      .limit_ns = 10 * NS_PER_S,
                                      .settled = on_settled};
    cr_assert_not_null(house.loader);
    signals_keep(&house.signals);
}

static void teardown(void)
{
    struct loader *loader = (struct loader *)house.loader;
    loader_destroy(&loader);
    note_fini(&note);
    files_remove();
}

TestSuite(generation, .init = setup, .fini = teardown, .timeout = 60);

static enum generation_state wait_for(unsigned count)
{
    MUTEX_GUARD(&lock);
    while (settled_count < count)
        cond_wait(&changed, &lock);
    return settled[count - 1];
}

static void start(void *generation)
{
    generation_start(generation);
}

static void unload(void *generation)
{
    generation_unload(generation);
}

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
                                       .types = types};
    struct generation *generation = generation_create(&house, &origin, &error);
    cr_assert_not_null(generation, "%s", error.message);
    work = (struct loader_work){.run = start, .context = generation};
    loader_post(house.loader, &work);
    cr_assert_eq(wait_for(1), GENERATION_READY, "%s", error.message);
    return generation;
}

static enum generation_state end(struct generation *generation)
{
    work = (struct loader_work){.run = unload, .context = generation};
    loader_post(house.loader, &work);
    return wait_for(2);
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
    cr_assert_eq(end(generation), GENERATION_GONE);
    cr_assert(!generation->hanging);
    generation_destroy(&generation);
    cr_assert_null(generation);
}

Test(generation, that_stays_mapped_after_dlclose_is_pinned)
{
    struct generation *generation = load(TEST_BUILD_DIR "/tests/hostile/ending_stays.so");
    const int *ends = generation->self;
    cr_assert_eq(end(generation), GENERATION_PINNED);
    cr_assert_eq(*ends, 1); /* its memory is still there, and deinit was called */
    cr_assert(!generation->hanging);
    generation_destroy(&generation);
}

Test(generation, whose_deinit_hangs_is_pinned_and_its_thread_counted)
{
    struct generation *generation = load(TEST_BUILD_DIR "/tests/hostile/ending_hangs.so");
    house.limit_ns = NS_PER_MS;
    cr_assert_eq(end(generation), GENERATION_PINNED);
    cr_assert(generation->hanging);
    cr_assert_str_eq(error.message, "deinit takes longer than 1ms");
    cr_assert_not_null(dlopen(files_path("copy.so"), RTLD_NOW | RTLD_NOLOAD));
}

Test(generation, has_a_word_for_every_state)
{
    cr_assert_str_eq(generation_state_word(GENERATION_FOUND), "found");
    cr_assert_str_eq(generation_state_word(GENERATION_REJECTED), "rejected");
}
