#include <criterion/criterion.h>
#include <dirent.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../await.h"
#include "files.h"
#include "plugin/generation.h"
#include "plugin/registry.h"
#include "support/buffer.h"
#include "support/thread.h"

#define BUILDS TEST_BUILD_DIR "/tests/hostile/reload"
#define PLUGIN "plugins/reload.so"

enum { SUPERSEDED_MOST = 300 };

static struct registry *registry;
static struct error error;
static const struct offer *offer;
static char gate[FILES_PATH_BYTES];

/* What the host of these tests has heard; guarded by lock. */
static struct mutex lock;
static struct cond changed;
static struct generation *superseded[SUPERSEDED_MOST];
static size_t superseded_count;
static struct registry_reloaded last;
static unsigned reloads;
static bool retires; /* at once, in place of keeping it in the list */

static void on_superseded(void *context, struct generation *old)
{
    (void)context;
    if (retires) {
        registry_retire(registry, old);
        return;
    }
    MUTEX_GUARD(&lock);
    superseded[superseded_count++] = old;
    cond_broadcast(&changed);
}

static void on_reloaded(void *context, const struct registry_reloaded *reloaded)
{
    (void)context;
    MUTEX_GUARD(&lock);
    last = *reloaded;
    reloads++;
    cond_broadcast(&changed);
}

static void setup_with(int64_t start_limit_ns)
{
    static const char *dirs[2];
    static char plugins[FILES_PATH_BYTES], state[FILES_PATH_BYTES];
    static struct registry_setting settings[] = {{"slow", "gate", gate}};
    files_folder();
    mutex_init(&lock);
    cond_init(&changed);
    snprintf(plugins, sizeof plugins, "%s", files_path("plugins"));
    snprintf(state, sizeof state, "%s", files_path("state"));
    snprintf(gate, sizeof gate, "%s", files_path("gate"));
    mkdir(plugins, 0700);
    files_install(BUILDS ".so", PLUGIN, "1.001");
    dirs[0] = plugins;
    struct registry_options options = {.plugin_dirs = dirs,
                                       .state_dir = state,
                                       .settings = settings,
                                       .settings_count = 1,
                                       .start_limit_ns = start_limit_ns};
    registry = registry_create(&options, &error);
    cr_assert_not_null(registry, "%s", error.message);
    struct registry_hooks hooks = {.superseded = on_superseded, .reloaded = on_reloaded};
    registry_set_hooks(registry, &hooks);
}

static void setup(void)
{
    setup_with(60 * NS_PER_S);
}

static void setup_hasty(void)
{
    setup_with(2 * NS_PER_S);
}

static void teardown(void)
{
    files_write("gate", "", 0);
    registry_destroy(&registry);
    files_remove();
}

TestSuite(reload, .init = setup, .fini = teardown, .timeout = 120);
TestSuite(reload_hasty, .init = setup_hasty, .fini = teardown, .timeout = 120);

static enum registry_answer find(const char *type)
{
    enum registry_answer answer = registry_find(registry, type, strlen(type), &offer, &error);
    registry_unpin(registry, offer);
    return answer;
}

/* Reloads and waits for the end of it. */
static struct registry_reloaded reload(void)
{
    mutex_lock(&lock);
    unsigned before = reloads;
    mutex_unlock(&lock);
    registry_reload(registry);
    MUTEX_GUARD(&lock);
    while (reloads == before)
        cond_wait(&changed, &lock);
    return last;
}

static struct registry_reloaded install_and_reload(const char *variant, unsigned number)
{
    char build[FILES_PATH_BYTES], version[16];
    snprintf(build, sizeof build, BUILDS "%s.so", variant);
    snprintf(version, sizeof version, "1.%03u", number);
    files_install(build, PLUGIN, version);
    return reload();
}

static void expect_runs(uint32_t number, const char *version)
{
    cr_assert_eq(find("reload"), REGISTRY_FOUND, "%s", error.message);
    cr_assert_eq(offer->generation->number, number, "%u", offer->generation->number);
    cr_assert_str_eq(offer->generation->version, version);
    cr_assert_eq(offer->execute(NULL, NULL), SLUICE_OK);
}

static int count_copy(struct dl_phdr_info *info, size_t size, void *count)
{
    (void)size;
    *(int *)count += strstr(info->dlpi_name, "/state/code/") != NULL;
    return 0;
}

static int mapped(void)
{
    int count = 0;
    dl_iterate_phdr(count_copy, &count);
    return count;
}

static int copies(void)
{
    return files_count(files_path("state"), ".so");
}

static void write_plugin(void *context, const struct registry_plugin *plugin)
{
    buffer_printf(context, "%s %s %s %u %s\n", plugin->plugin, plugin->version, plugin->state,
                  plugin->generation, plugin->reason == NULL ? "-" : plugin->reason);
}

static const char *list(void)
{
    static char kept[8192];
    struct buffer text = BUFFER_EMPTY;
    registry_visit_plugins(registry, write_plugin, &text);
    snprintf(kept, sizeof kept, "%s", buffer_text(&text));
    buffer_fini(&text);
    return kept;
}

static void expect_listed(const char *wanted)
{
    const char *listed = list();
    cr_assert_str_eq(listed, wanted, "%s", listed);
}

Test(reload, leaves_alone_what_has_not_changed)
{
    expect_runs(1, "1.001");
    uint32_t version = registry_version(registry);
    struct registry_reloaded done = reload();
    cr_assert_eq(done.kept, 1);
    cr_assert_eq(done.replaced + done.added + done.removed + done.refused, 0);
    cr_assert_eq(registry_version(registry), version);
    cr_assert_eq(superseded_count, 0);
    expect_runs(1, "1.001");
}

Test(reload, makes_a_changed_file_the_next_generation)
{
    expect_runs(1, "1.001");
    struct generation *old = offer->generation;
    const struct type *type = offer->type;
    uint32_t version = registry_version(registry);
    cr_assert_eq(install_and_reload("", 2).replaced, 1);
    cr_assert_neq(registry_version(registry), version);
    cr_assert(superseded_count == 1 && superseded[0] == old);
    expect_listed("reload 1.002 active 2 -\nreload 1.001 draining 1 waits for its workers\n");
    cr_assert_eq(registry_offer(registry, type)->generation->number, 2);
    cr_assert_eq(generation_offer(old, type)->execute(NULL, NULL), SLUICE_OK);
    cr_assert_eq(mapped(), 2);
    registry_retire(registry, old);
    AWAIT(mapped() == 1 && copies() == 1);
    expect_runs(2, "1.002");
}

Test(reload, only_reads_anew_what_nobody_has_used)
{
    struct registry_reloaded done = install_and_reload("", 2);
    cr_assert_eq(done.kept + done.replaced + done.added + done.removed, 0);
    cr_assert_eq(copies(), 0);
    expect_runs(1, "1.002");
}

Test(reload, does_not_unmap_what_a_reader_has_pinned)
{
    cr_assert_eq(registry_find(registry, "reload", 6, &offer, &error), REGISTRY_FOUND);
    const struct offer *pinned = offer;
    retires = true;
    install_and_reload("", 2);
    expect_listed("reload 1.002 active 2 -\nreload 1.001 retired 1 waits for a reader of job "
                  "files\n");
    cr_assert_eq(pinned->execute(NULL, NULL), SLUICE_OK);
    registry_unpin(registry, pinned);
    AWAIT(mapped() == 1);
}

Test(reload, lets_go_of_a_removed_plugin_and_takes_it_back)
{
    uint32_t flags;
    expect_runs(1, "1.001");
    const struct type *type = offer->type;
    retires = true;
    unlink(files_path(PLUGIN));
    cr_assert_eq(reload().removed, 1);
    cr_assert_null(registry_offer(registry, type));
    cr_assert(!registry_flags(registry, type, &flags));
    cr_assert_eq(find("reload"), REGISTRY_UNKNOWN);
    AWAIT(mapped() == 0 && copies() == 0);
    cr_assert_eq(install_and_reload("", 2).added, 1);
    cr_assert_eq(registry_offer(registry, type)->generation->number, 2);
    cr_assert(registry_flags(registry, type, &flags));
}

Test(reload, does_not_serve_a_type_that_the_new_build_has_dropped)
{
    install_and_reload("_two", 2);
    cr_assert_eq(find("reload.more"), REGISTRY_FOUND, "%s", error.message);
    const struct type *type = offer->type;
    retires = true;
    install_and_reload("", 3);
    cr_assert_null(registry_offer(registry, type));
    cr_assert_eq(find("reload.more"), REGISTRY_UNKNOWN);
    install_and_reload("_two", 4);
    cr_assert_eq(registry_offer(registry, type)->generation->number, 3);
}

Test(reload, keeps_the_running_generation_when_the_new_build_is_refused)
{
    expect_runs(1, "1.001");
    struct registry_reloaded done = install_and_reload("_refuses", 2);
    cr_assert(done.refused == 1 && done.kept == 1 && done.replaced == 0);
    expect_listed("reload 1.001 active 1 init refused: no licence\n");
    cr_assert_eq(reload().refused, 0); /* it is remembered */
    files_write(PLUGIN, "", 0);
    cr_assert_eq(reload().refused, 1);
    expect_runs(1, "1.001");
    cr_assert_eq(mapped(), 1);
    cr_assert_eq(copies(), 1);
    cr_assert_eq(install_and_reload("", 3).replaced, 1);
    expect_runs(3, "1.003");
}

Test(reload, takes_a_renamed_file_for_the_same)
{
    expect_runs(1, "1.001");
    cr_assert_eq(rename(files_path(PLUGIN), files_path("plugins/other.so")), 0);
    cr_assert_eq(reload().kept, 1);
    expect_runs(1, "1.001");
}

Test(reload, refuses_a_new_file_that_has_a_type_of_a_running_one)
{
    expect_runs(1, "1.001");
    files_install(BUILDS "_two.so", "plugins/a.so", "1.002");
    struct registry_reloaded done = reload();
    cr_assert(done.kept == 1 && done.refused == 1 && done.added == 0);
    expect_runs(1, "1.001");
    cr_assert_eq(find("reload.more"), REGISTRY_REFUSED);
    unlink(files_path(PLUGIN));
    retires = true;
    reload();
    expect_runs(2, "1.002");
}

Test(reload, refuses_a_fifth_live_generation_until_one_is_gone)
{
    expect_runs(1, "1.001");
    for (unsigned number = 2; number <= 4; number++)
        cr_assert_eq(install_and_reload("", number).replaced, 1);
    cr_assert_eq(install_and_reload("", 5).refused, 1);
    cr_assert_not_null(strstr(list(), "active 4 4 generations are alive, which is the most: waits "
                                      "for the end of 3, 2, 1\n"));
    registry_retire(registry, superseded[1]);
    AWAIT(mapped() == 3);
    cr_assert_eq(reload().replaced, 1);
    expect_runs(5, "1.005");
}

Test(reload, counts_a_generation_with_stuck_calls_as_pinned)
{
    expect_runs(1, "1.001");
    for (unsigned number = 2; number <= 4; number++)
        install_and_reload("", number);
    registry_pin_stuck(registry, superseded[0]);
    cr_assert_not_null(strstr(list(), "reload 1.001 pinned 1 calls in it are stuck\n"));
    cr_assert_eq(install_and_reload("", 5).replaced, 1);
    registry_retire(registry, superseded[0]); /* they have returned after all */
    AWAIT(mapped() == 4);
}

static void count_pinned(void *context, const struct registry_plugin *plugin)
{
    *(unsigned *)context += strcmp(plugin->state, "pinned") == 0;
}

static unsigned pinned(void)
{
    unsigned count = 0;
    registry_visit_plugins(registry, count_pinned, &count);
    return count;
}

Test(reload, counts_copies_that_stay_mapped_and_refuses_the_sixty_fifth)
{
    retires = true;
    files_install(BUILDS "_nodelete.so", PLUGIN, "1.001");
    reload();
    expect_runs(1, "1.001");
    for (unsigned number = 2; number <= 65; number++) {
        cr_assert_eq(install_and_reload("_nodelete", number).replaced, 1, "%s", list());
        AWAIT(pinned() == number - 1);
    }
    cr_assert_eq(mapped(), 65);
    cr_assert_eq(install_and_reload("_nodelete", 66).refused, 1);
    cr_assert_not_null(strstr(list(), "active 65 64 older builds are still mapped, at most 64 may "
                                      "be: start anew\n"));
    expect_runs(65, "1.065");
}

static void *find_slow(void *unused)
{
    const struct offer *slow;
    struct error why;
    cr_assert_eq(registry_find(registry, "slow", 4, &slow, &why), REGISTRY_FOUND);
    return unused;
}

static enum registry_answer peek(const char *type)
{
    const struct offer *seen;
    struct error why;
    enum registry_answer answer = registry_peek(registry, type, strlen(type), &seen, &why);
    cr_assert_eq(answer == REGISTRY_FOUND, seen != NULL);
    registry_unpin(registry, seen);
    return answer;
}

Test(reload, who_must_not_wait_is_told_that_a_plugin_is_not_loaded_yet)
{
    pthread_t thread;
    cr_assert_eq(peek("reload"), REGISTRY_LOADING);
    cr_assert_eq(mapped(), 0, "it has not been loaded for that");
    expect_runs(1, "1.001");
    files_install(BUILDS "_slow.so", "plugins/slow.so", "1.000");
    reload();
    pthread_create(&thread, NULL, find_slow, NULL);
    AWAIT(strstr(list(), "slow 1.000 checked 0") != NULL);
    cr_assert_eq(peek("slow"), REGISTRY_LOADING);
    cr_assert_eq(peek("reload"), REGISTRY_FOUND);
    cr_assert_eq(peek("unheard.of"), REGISTRY_UNKNOWN);
    files_write("gate", "", 0);
    pthread_join(thread, NULL);
    cr_assert_eq(peek("slow"), REGISTRY_FOUND);
    cr_assert_eq(install_and_reload("_refuses", 2).refused, 1);
    cr_assert_eq(peek("reload"), REGISTRY_FOUND, "the running generation stays");
}

Test(reload, goes_on_while_the_init_of_another_plugin_takes_its_time)
{
    pthread_t thread;
    files_install(BUILDS "_slow.so", "plugins/slow.so", "1.000");
    reload();
    pthread_create(&thread, NULL, find_slow, NULL);
    AWAIT(strstr(list(), "slow 1.000 checked 0") != NULL);
    expect_runs(1, "1.001");
    cr_assert_eq(install_and_reload("", 2).replaced, 1);
    expect_runs(2, "1.002");
    files_write("gate", "", 0);
    pthread_join(thread, NULL);
}

Test(reload_hasty, unmaps_what_was_refused_for_its_slowness_once_it_comes_back)
{
    files_install(BUILDS "_slow.so", "plugins/slow.so", "1.000");
    reload();
    cr_assert_eq(find("slow"), REGISTRY_REFUSED);
    cr_assert_eq(strcmp(strstr(error.message, ".so: "), ".so: init takes longer than 2s"), 0);
    cr_assert(registry_left_behind(registry) == 1 && mapped() == 1);
    files_write("gate", "", 0);
    AWAIT(registry_left_behind(registry) == 0 && mapped() == 0 && copies() == 0);
    cr_assert_eq(find("slow"), REGISTRY_REFUSED);
}

Test(reload, several_requests_before_it_begins_become_one)
{
    expect_runs(1, "1.001");
    mutex_lock(&lock); /* the loader waits in on_reloaded of the first */
    registry_reload(registry);
    AWAIT(reloads == 0);
    for (int i = 0; i < 1000; i++)
        registry_reload(registry);
    mutex_unlock(&lock);
    reload();
    cr_assert_leq(reloads, 4);
}

Test(reload, puts_back_signal_handlers_that_a_plugin_has_changed)
{
    struct sigaction before, after;
    expect_runs(1, "1.001");
    sigaction(SIGUSR1, NULL, &before);
    cr_assert_eq(install_and_reload("_meddles", 2).replaced, 1);
    sigaction(SIGUSR1, NULL, &after);
    cr_assert_eq(before.sa_handler, after.sa_handler);
    sigaction(SIGUSR2, NULL, &after);
    cr_assert_eq(after.sa_handler, SIG_DFL);
}

Test(reload, does_not_unmap_code_under_a_thread_that_the_plugin_left)
{
    retires = true;
    expect_runs(1, "1.001");
    install_and_reload("_thread", 2);
    AWAIT(mapped() == 1);
    install_and_reload("", 3);
    AWAIT(pinned() == 1);
    cr_assert_eq(mapped(), 2);
    for (unsigned number = 4; number <= 8; number++) {
        install_and_reload("", number);
        AWAIT(mapped() == 2); /* the others are */
    }
}

Test(reload_hasty, leaves_a_deinit_that_hangs_mapped_and_goes_on)
{
    retires = true;
    install_and_reload("_deinit_hangs", 1);
    expect_runs(1, "1.001");
    install_and_reload("", 2);
    AWAIT(registry_left_behind(registry) == 1 && pinned() == 1);
    expect_runs(2, "1.002");
    cr_assert_eq(mapped(), 2);
}

static int open_fds(void)
{
    int count = 0;
    DIR *stream = opendir("/proc/self/fd");
    while (readdir(stream) != NULL)
        count++;
    closedir(stream);
    return count;
}

Test(reload, two_hundred_times_leaves_nothing_behind)
{
    retires = true;
    expect_runs(1, "1.001");
    size_t used = 0;
    int fds = 0;
    for (unsigned number = 2; number <= 202; number++) {
        cr_assert_eq(install_and_reload("", number).replaced, 1, "%s", list());
        AWAIT(mapped() == 1 && copies() == 1);
        if (number == 20) {
            used = mallinfo2().uordblks;
            fds = open_fds();
        }
    }
    cr_assert_eq(open_fds(), fds);
    cr_assert_lt(mallinfo2().uordblks, used + 64 * 1024);
}
