/* Types that run apart since a host may have died of them: suspected, convicted, set free. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../await.h"
#include "accept/job.h"
#include "isolation.h"
#include "support/clock.h"

/* What a host is for it. */
static struct {
    char folder[40];
    char path[64], plugin[64];
    struct registry *registry;
    struct isolation *isolation;
    int isolated, woken; /* how many types are; how often it wanted to be tended */
} ward;

static void isolate(void *context, const struct type *type)
{
    (void)context;
    (void)type;
    ward.isolated++;
}

static void release(void *context, const struct type *type)
{
    (void)context;
    (void)type;
    ward.isolated--;
}

static void wake(void *context)
{
    (void)context;
    ward.woken++;
}

static void copy_plugin(void)
{
    char command[320];

    snprintf(command, sizeof command, "cp %s/plugins/noop.so %s.new && mv %s.new %s",
             TEST_BUILD_DIR, ward.plugin, ward.plugin, ward.plugin);
    cr_assert(eq(int, system(command), 0));
}

static void open_registry(void)
{
    static const char *folders[2];
    struct error error;

    folders[0] = ward.folder;
    struct registry_options options = {
        .plugin_dirs = folders, .state_dir = ward.folder, .start_limit_ns = 10 * NS_PER_S};
    ward.registry = registry_create(&options, &error);
    cr_assert_not_null(ward.registry, "%s", error.message);
    registry_load_all(ward.registry);
}

static void next_host(void)
{
    const struct isolation_options options = {.registry = ward.registry,
                                              .path = ward.path,
                                              .isolate = isolate,
                                              .release = release,
                                              .wake = wake};

    isolation_destroy(&ward.isolation);
    ward.isolated = ward.woken = 0;
    ward.isolation = isolation_create(&options);
}

static void begin(void)
{
    snprintf(ward.folder, sizeof ward.folder, "/tmp/sluice-test-XXXXXX");
    cr_assert_not_null(mkdtemp(ward.folder));
    snprintf(ward.path, sizeof ward.path, "%s/isolated", ward.folder);
    snprintf(ward.plugin, sizeof ward.plugin, "%s/noop.so", ward.folder);
    copy_plugin();
    open_registry();
    next_host();
}

static void end(void)
{
    char command[64];

    isolation_destroy(&ward.isolation);
    registry_destroy(&ward.registry);
    snprintf(command, sizeof command, "rm -r %s", ward.folder);
    if (system(command) != 0)
        abort();
}

TestSuite(isolation, .init = begin, .fini = end, .timeout = 60);

static const struct type *noop(void)
{
    struct error error;
    const struct type *type = registry_intern(ward.registry, "noop", &error);

    cr_assert_not_null(type);
    return type;
}

/* A task of noop that has crashed. */
static void crash(void)
{
    struct job job = {.id = "JOB"};
    struct task task = {.job = &job, .id = "poison", .type = noop(), .suspect = true};
    const struct attempt attempt = {.reason = "signal", .message = "SIGSEGV at 0x10\n#0 noop.so"};

    isolation_crashed(ward.isolation, &task, &attempt);
}

static void suspect_ends(void)
{
    struct task task = {.type = noop(), .suspect = true};

    isolation_ended(ward.isolation, &task);
}

/* Two tasks were in hand when the host died; both are there again. */
static void suspect_two(void)
{
    isolation_suspect(ward.isolation, 7, 1);
    isolation_suspect(ward.isolation, 7, 3);
    cr_assert(isolation_claims(ward.isolation, 7, 1, noop()));
    cr_assert(isolation_claims(ward.isolation, 7, 3, noop()));
}

static bool is_convicted(void)
{
    struct isolation_facts facts;

    return isolation_find(ward.isolation, "noop", &facts);
}

Test(isolation, only_what_was_in_hand_is_suspected)
{
    isolation_suspect(ward.isolation, 7, 1);
    cr_expect(not(isolation_claims(ward.isolation, 7, 2, noop())));
    cr_expect(not(isolation_claims(ward.isolation, 8, 1, noop())));
    cr_expect(eq(int, ward.isolated, 0));
    cr_expect(isolation_claims(ward.isolation, 7, 1, noop()));
    cr_expect(eq(int, ward.isolated, 1));
}

Test(isolation, a_type_is_free_when_its_last_suspect_has_ended_well)
{
    suspect_two();
    suspect_ends();
    isolation_tend(ward.isolation);
    cr_expect(eq(int, ward.isolated, 1));
    suspect_ends();
    cr_expect(eq(int, ward.woken, 1));
    isolation_tend(ward.isolation);
    cr_expect(eq(int, ward.isolated, 0));
    cr_expect(not(is_convicted()));
    cr_expect(eq(int, access(ward.path, F_OK), -1));
}

Test(isolation, a_type_with_a_suspect_that_crashed_stays_isolated_also_in_the_next_host)
{
    struct isolation_facts facts;
    struct stat status;

    suspect_two();
    crash();
    suspect_ends();
    suspect_ends();
    isolation_tend(ward.isolation);
    cr_expect(eq(int, ward.isolated, 1));
    cr_assert(eq(int, stat(ward.path, &status), 0));
    cr_expect(eq(int, status.st_mode & 0777, 0600));

    next_host();
    cr_expect(eq(int, ward.isolated, 1));
    isolation_tend(ward.isolation);
    cr_expect(eq(int, ward.isolated, 1));
    cr_assert(isolation_find(ward.isolation, "noop", &facts));
    cr_expect(eq(str, facts.task, "JOB:poison"));
    cr_expect(eq(str, facts.why, "SIGSEGV at 0x10"));
}

Test(isolation, another_build_of_its_plugin_sets_a_type_free)
{
    suspect_two();
    crash();
    suspect_ends();
    suspect_ends();
    isolation_tend(ward.isolation);
    registry_destroy(&ward.registry);
    copy_plugin();
    open_registry();

    next_host();
    cr_expect(eq(int, ward.isolated, 1));
    isolation_tend(ward.isolation);
    cr_expect(eq(int, ward.isolated, 0));
    cr_expect(not(is_convicted()));
    cr_expect(eq(int, access(ward.path, F_OK), -1));
}

Test(isolation, a_new_build_that_comes_while_suspects_run_leaves_them_isolated)
{
    suspect_two();
    crash();
    suspect_ends();
    isolation_tend(ward.isolation);
    uint32_t version = registry_version(ward.registry);
    copy_plugin();
    registry_reload(ward.registry);
    int64_t until_ns = clock_now_ns() + AWAIT_MOST_NS;
    while (registry_version(ward.registry) == version && clock_now_ns() < until_ns)
        sched_yield();

    isolation_tend(ward.isolation);
    cr_expect(not(is_convicted()));
    cr_expect(eq(int, ward.isolated, 1));
    suspect_ends();
    isolation_tend(ward.isolation);
    cr_expect(eq(int, ward.isolated, 0));
}

Test(isolation, a_crash_of_a_type_that_nobody_suspects_says_nothing)
{
    crash();
    isolation_tend(ward.isolation);
    cr_expect(not(is_convicted()));
    cr_expect(eq(int, ward.isolated, 0));
}

Test(isolation, lines_that_make_no_sense_are_left_out_and_the_others_count)
{
    FILE *file = fopen(ward.path, "w");

    fputs("# for people\nnoop\n\nnoop\tx\tyesterday\tJOB:a\twhy\n"
          "gone\tgone-1.0\t2026-01-02T03:04:05Z\tJOB:a\tSIGSEGV\n"
          "gone\tagain\t2026-01-02T03:04:05Z\tJOB:a\tSIGSEGV\n"
          "a\tb\t2026-01-02T03:04:05Z\tJOB:a\twhy\tmore\n",
          file);
    fclose(file);
    next_host();
    cr_expect(eq(int, ward.isolated, 1));
    isolation_tend(ward.isolation); /* nobody has it now: it may come back */
    cr_expect(eq(int, ward.isolated, 1));
    cr_expect(not(is_convicted()));
}

Test(isolation, a_name_that_no_type_can_have_is_left_out)
{
    FILE *file = fopen(ward.path, "w");

    fputs("../a b\tx-1.0\t2026-01-02T03:04:05Z\tJOB:a\tSIGSEGV\n", file);
    fclose(file);
    next_host();
    cr_expect(eq(int, ward.isolated, 0));
}

Test(isolation, what_is_no_file_or_too_large_is_not_read)
{
    cr_assert(eq(int, mkfifo(ward.path, 0600), 0));
    next_host(); /* which would wait for ever */
    cr_expect(eq(int, ward.isolated, 0));
    cr_assert(eq(int, unlink(ward.path), 0));

    FILE *file = fopen(ward.path, "w");
    fputs("noop\tnoop-1.0\t2026-01-02T03:04:05Z\tJOB:a\tSIGSEGV\n", file);
    fclose(file);
    next_host();
    cr_expect(eq(int, ward.isolated, 1));
    cr_assert(eq(int, truncate(ward.path, 2 * 1024 * 1024), 0));
    next_host();
    cr_expect(eq(int, ward.isolated, 0));
}

Test(isolation, a_file_that_cannot_be_replaced_leaves_nothing_beside_it)
{
    char next[80];

    cr_assert(eq(int, mkdir(ward.path, 0700), 0));
    suspect_two();
    crash();
    isolation_tend(ward.isolation);
    cr_expect(is_convicted());
    snprintf(next, sizeof next, "%s.new", ward.path);
    cr_expect(ne(int, access(next, F_OK), 0));
}
