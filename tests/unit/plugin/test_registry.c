#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "plugin/generation.h"
#include "plugin/registry.h"
#include "support/clock.h"
#include "support/thread.h"

#define HOSTILE TEST_BUILD_DIR "/tests/hostile/"
#define PLUGINS TEST_BUILD_DIR "/plugins/"

static struct registry *registry;
static struct error error;
static const struct offer *offer;

static void setup(void)
{
    files_folder();
    mkdir(files_path("plugins"), 0700);
    mkdir(files_path("more"), 0700);
    files_copy(PLUGINS "noop.so", "plugins/noop.so");
}

static void teardown(void)
{
    registry_destroy(&registry);
    files_remove();
}

TestSuite(registry, .init = setup, .fini = teardown, .timeout = 60);

static struct registry *create(int64_t start_limit_ns)
{
    static const struct registry_setting settings[] = {{"other", "a", "b"}, {"init", "key", "v"}};
    static const char *dirs[3];
    static char state[FILES_PATH_BYTES];
    snprintf(state, sizeof state, "%s", files_path("state"));
    dirs[0] = files_path("plugins");
    dirs[1] = files_path("more");
    struct registry_options options = {.plugin_dirs = dirs,
                                       .state_dir = state,
                                       .settings = settings,
                                       .settings_count = 2,
                                       .start_limit_ns = start_limit_ns};
    registry = registry_create(&options, &error);
    cr_assert_not_null(registry, "%s", error.message);
    return registry;
}

static enum registry_answer find(const char *type)
{
    return registry_find(registry, type, strlen(type), &offer, &error);
}

static void expect_refusal(const char *type, const char *reason)
{
    cr_assert_eq(find(type), REGISTRY_REFUSED, "%s", type);
    const char *found = strstr(error.message, ".so: ");
    cr_assert_not_null(found);
    cr_assert_eq(strncmp(found + 5, reason, strlen(reason)), 0, "%s", error.message);
}

Test(registry, knows_types_from_notes_and_runs_code_only_when_one_is_asked_for)
{
    create(10 * NS_PER_S);
    cr_assert_eq(files_count(files_path("state"), ".so"), 0);
    cr_assert_eq(registry_types_count(registry), 1);
    cr_assert_eq(find("noop"), REGISTRY_FOUND, "%s", error.message);
    cr_assert_eq(files_count(files_path("state"), ".so"), 1);
    cr_assert_str_eq(offer->type->name, "noop");
    cr_assert_eq(offer->generation->number, 1);
    cr_assert_eq(offer->params.count, 1);
    cr_assert_eq(registry_offer(registry, offer->type), offer);
    cr_assert_eq(generation_offer(offer->generation, offer->type), offer);
    cr_assert_eq(offer->execute(NULL, NULL), SLUICE_OK);
    registry_destroy(&registry);
    cr_assert_eq(files_count(files_path("state"), ".so"), 0);
}

Test(registry, a_type_that_no_plugin_has_is_unknown)
{
    create(10 * NS_PER_S);
    cr_assert_eq(find("noo"), REGISTRY_UNKNOWN);
    cr_assert_eq(find(""), REGISTRY_UNKNOWN);
    cr_assert_eq(registry_find(registry, "noop\0", 5, &offer, &error), REGISTRY_UNKNOWN);
    char name[100];
    memset(name, 'n', sizeof name);
    cr_assert_eq(registry_find(registry, name, sizeof name, &offer, &error), REGISTRY_UNKNOWN);
}

Test(registry, without_any_folder_that_opens_is_not_created)
{
    const char *dirs[] = {files_path("missing"), NULL};
    struct registry_options options = {.plugin_dirs = dirs, .state_dir = files_path("state")};
    cr_assert_null(registry_create(&options, &error));
    cr_assert_not_null(strstr(error.message, "/missing: No such file or directory"));
}

Test(registry, without_a_place_for_private_copies_is_not_created)
{
    const char *dirs[] = {files_path("plugins"), NULL};
    files_write("state", "", 0);
    struct registry_options options = {.plugin_dirs = dirs, .state_dir = files_path("state")};
    cr_assert_null(registry_create(&options, &error));
    cr_assert_not_null(strstr(error.message, "cannot make the folder"), "%s", error.message);
}

Test(registry, the_private_copy_is_what_runs)
{
    create(10 * NS_PER_S);
    cr_assert_eq(find("noop"), REGISTRY_FOUND);
    files_write("plugins/noop.so", "overwritten in place", 20);
    cr_assert_eq(offer->execute(NULL, NULL), SLUICE_OK);
    cr_assert_eq(find("noop"), REGISTRY_FOUND);
}

Test(registry, a_file_that_changed_between_scan_and_load_is_refused)
{
    create(10 * NS_PER_S);
    files_copy(PLUGINS "sleep.so", "plugins/noop.so");
    expect_refusal("noop", "has another note than when it was found");
}

Test(registry, a_type_twice_refuses_the_whole_second_plugin)
{
    files_copy(HOSTILE "descriptor_taken_type.so", "more/a.so");
    create(10 * NS_PER_S);
    cr_assert_eq(find("noop"), REGISTRY_FOUND);
    cr_assert_str_eq(offer->generation->plugin, "noop");
    cr_assert_eq(registry_types_count(registry), 1);
}

Test(registry, a_plugin_gets_its_own_settings)
{
    files_copy(HOSTILE "init.so", "plugins/init.so");
    create(10 * NS_PER_S);
    cr_assert_eq(find("init"), REGISTRY_FOUND, "%s", error.message);
    cr_assert_str_eq(offer->generation->self, "key=v");
}

static const struct refusal {
    const char *file, *type, *reason;
} refusals[] = {
    {"entry", "entry", "entry refused without a reason"},
    {"entry_missing", "entry", "no function sluice_plugin_entry"},
    {"entry_refuses", "entry", "entry refused: the licence ended in 1999"},
    {"init_refuses", "init", "init refused: no key"},
    {"init_silent", "init", "init refused without a reason"},
    {"undefined_symbol", "undefined", "cannot be loaded: undefined symbol: nobody_has_this"},
    {"exec_stack", "exec_stack", "wants an executable stack"},
    {"rwx_segment", "rwx_segment", "has a segment that is writable and executable"},
    {"descriptor_size_zero", "descriptor", "descriptor: size is 0, allowed is 56 to 4096"},
    {"descriptor_size_huge", "descriptor", "descriptor: size is 4294967295, allowed is 56"},
    {"descriptor_size_small", "descriptor", "descriptor: size is 24, allowed is 56 to 4096"},
    {"descriptor_tail_set", "descriptor", "needs a newer host than 1.2: descriptor uses"},
    {"descriptor_type_tail_set", "descriptor", "needs a newer host than 1.2: type 1 uses"},
    {"descriptor_type_size_zero", "descriptor", "type 1: size is 0, allowed is 112 to 4096"},
    {"descriptor_no_name", "descriptor", "descriptor: name is NULL"},
    {"descriptor_no_version", "descriptor", "descriptor: version is NULL"},
    {"descriptor_no_table", "descriptor", "descriptor: types is NULL"},
    {"descriptor_no_types", "descriptor", "descriptor: no types"},
    {"descriptor_no_execute", "descriptor", "type 'descriptor': execute is NULL"},
    {"descriptor_other_name", "descriptor",
     "note and descriptor differ: name is 'descriptor' in the note, 'another' in the descriptor"},
    {"descriptor_other_version", "descriptor", "note and descriptor differ: version is '1' in"},
    {"descriptor_other_abi", "descriptor", "note and descriptor differ: the ABI is 1.2 in"},
    {"descriptor_other_type", "descriptor", "note and descriptor differ: type 1 is 'descriptor'"},
    {"descriptor_more_types", "descriptor", "note and descriptor differ: type 'second' is not"},
    {"descriptor_fewer_types", "second", "note and descriptor differ: type 'second' is not"},
    {"descriptor_flags_unknown", "descriptor", "needs a newer host than 1.2: type 'descriptor'"},
    {"descriptor_bad_weight", "descriptor", "type 'descriptor': weight is negative"},
    {"descriptor_bad_jitter", "descriptor", "type 'descriptor': retry.jitter is not between 0"},
    {"descriptor_params_size_alone", "descriptor", "type 'descriptor': params_size without"},
    {"params_bad_name", "params", "type 'params': parameter 'no-dashes': invalid name"},
    {"params_no_end_size", "params", "type 'params': parameter row 2: size is 0"},
    {"params_twice", "params", "type 'params': parameter 'n': stands twice"},
    {"params_unknown_kind", "params", "type 'params': parameter 'n': unknown kind 99"},
    {"params_min_over_max", "params", "type 'params': parameter 'n': min 11 > max 10"},
    {"params_default_outside", "params", "type 'params': default: parameter 'n' is '11', allowed"},
    {"params_default_no_kind", "params", "type 'params': default: parameter 'n' wants an int"},
    {"params_offset_outside", "params", "type 'params': parameter 'n': offset 4096 lies outside"},
    {"params_offset_odd", "params", "type 'params': parameter 'n': offset 1 is not aligned to 8"},
    {"params_size_of_other", "params", "type 'params': parameter 'n': field_size is 4, int has 8"},
    {"params_required_default", "params", "type 'params': parameter 'n': required, but has a"},
    {"params_enum_alone", "params", "type 'params': parameter 'n': an enum without choices"},
    {"params_struct_huge", "params", "type 'params': params_size is 1048576, allowed is 65536"},
    {"params_tail_set", "params", "type 'params': needs a newer host than 1.2: parameter row"},
};

Test(registry, each_bad_plugin_is_refused_with_its_reason_and_the_others_work)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char from[FILES_PATH_BYTES];
        snprintf(from, sizeof from, HOSTILE "%s.so", refusals[i].file);
        files_copy(from, "plugins/bad.so");
        create(10 * NS_PER_S);
        expect_refusal(refusals[i].type, refusals[i].reason);
        expect_refusal(refusals[i].type, refusals[i].reason); /* it is remembered */
        cr_assert_eq(find("noop"), REGISTRY_FOUND);
        registry_destroy(&registry);
    }
}

Test(registry, a_newer_plugin_with_zeros_in_what_this_host_does_not_know_is_taken)
{
    static const char *const files[] = {HOSTILE "descriptor_tail_zero.so",
                                        HOSTILE "descriptor_type_tail_zero.so"};
    for (size_t i = 0; i < 2; i++) {
        files_copy(files[i], "plugins/newer.so");
        create(10 * NS_PER_S);
        cr_assert_eq(find("descriptor"), REGISTRY_FOUND, "%s", error.message);
        registry_destroy(&registry);
    }
}

Test(registry, an_entry_or_init_that_hangs_is_left_behind_and_stops_nobody)
{
    files_copy(HOSTILE "entry_hangs.so", "plugins/a.so");
    files_copy(HOSTILE "init_hangs.so", "plugins/b.so");
    create(2 * NS_PER_S);
    expect_refusal("entry", "entry takes longer than 2s");
    expect_refusal("init", "init takes longer than 2s");
    cr_assert_eq(registry_left_behind(registry), 2);
    cr_assert_eq(find("noop"), REGISTRY_FOUND);
}

static void find_noop(void *context)
{
    const struct offer **found = context;
    struct error why;
    if (registry_find(registry, "noop", 4, found, &why) != REGISTRY_FOUND)
        *found = NULL;
}

Test(registry, threads_that_ask_at_once_get_one_generation)
{
    struct thread threads[4];
    const struct offer *found[4];
    create(10 * NS_PER_S);
    for (int i = 0; i < 4; i++)
        cr_assert(thread_start(&threads[i], "find", find_noop, &found[i], &error));
    for (int i = 0; i < 4; i++)
        thread_join(&threads[i]);
    for (int i = 0; i < 4; i++)
        cr_assert(found[i] != NULL && found[i] == found[0]);
    cr_assert_eq(files_count(files_path("state"), ".so"), 1);
}

static void write_plugin(void *context, const struct registry_plugin *plugin)
{
    const char *slash = strrchr(plugin->file, '/');
    buffer_printf(context, "%s %s %s %s %u %zu %s\n", slash + 1,
                  plugin->plugin == NULL ? "-" : plugin->plugin,
                  plugin->version == NULL ? "-" : plugin->version, plugin->state,
                  plugin->generation, plugin->types_count,
                  plugin->reason == NULL ? "-" : plugin->reason);
}

static void write_type(void *context, const char *type, const char *plugin)
{
    buffer_printf(context, "%s of %s\n", type, plugin);
}

Test(registry, lists_its_plugins_and_types)
{
    struct buffer text = BUFFER_EMPTY;
    files_copy(HOSTILE "answers.so", "plugins/answers.so");
    files_copy(HOSTILE "entry.so", "plugins/zentry.so");
    files_write("plugins/text.so", "hello", 5);
    create(10 * NS_PER_S);
    registry_visit_plugins(registry, write_plugin, &text);
    cr_assert_str_eq(buffer_text(&text), "answers.so answers 1.0.0 found 0 3 -\n"
                                         "noop.so noop 1.0.0 found 0 1 -\n"
                                         "text.so - - rejected 0 0 not an ELF shared object\n"
                                         "zentry.so entry 1 found 0 1 -\n");
    text.length = 0;
    registry_load_all(registry);
    registry_visit_plugins(registry, write_plugin, &text);
    cr_assert_str_eq(buffer_text(&text),
                     "answers.so answers 1.0.0 active 1 3 -\n"
                     "noop.so noop 1.0.0 active 1 1 -\n"
                     "text.so - - rejected 0 0 not an ELF shared object\n"
                     "zentry.so entry 1 rejected 0 1 entry refused without a reason\n");
    text.length = 0;
    registry_visit_types(registry, write_type, &text);
    cr_assert_str_eq(buffer_text(&text), "noop of noop\noutput.huge of answers\n"
                                         "output.twice of answers\nstatus.57 of answers\n");
    buffer_fini(&text);
}
