/* What a scrape says, line by line, and whether promtool has nothing to say about it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/metrics.h"
#include "support/clock.h"

/* What the rooms would say, and what is written of it. */
static struct scene {
    struct figures *figures;
    struct histogram_total commits;
    struct metrics_sources sources;
    struct buffer text;
} scene;

static const struct registry_plugin plugins[] = {
    {.plugin = "mail", .version = "1.2", .state = "active", .generation = 3},
    {.plugin = "mail", .version = "1.1", .state = "draining", .generation = 2},
    {.plugin = "mail", .version = "1.3", .state = "refused"},
    {.plugin = "mail", .version = "1.3", .state = "refused"},
    {.file = "broken.so", .state = "refused"},
};

static void visit_plugins(void *registry,
                          void (*visit)(void *context, const struct registry_plugin *plugin),
                          void *context)
{
    cr_assert_eq(registry, &scene);
    for (size_t i = 0; i < sizeof plugins / sizeof plugins[0]; i++)
        visit(context, &plugins[i]);
}

static void begin(void)
{
    static const struct metrics_group groups[] = {
        {"mail", "mail", .queued = 7, .busy = 2, .oldest_waiting_ns = 1500 * NS_PER_MS},
        {"rest", "*", .stuck = 1, .waits_for_weight = true},
    };
    static const struct metrics_count rejected[] = {{"inbound_full", 4}, {"queue_full", 0}};
    static const struct metrics_count dead[] = {{"mail", 9}};
    scene.figures = figures_create();
    scene.sources = (struct metrics_sources){
        .version = "0.1.0",
        .policy = "round_robin",
        .figures = scene.figures,
        .store_commit = &scene.commits,
        .groups = groups,
        .groups_count = 2,
        .rejected = {rejected, 2},
        .dead = {dead, 1},
        .reloads = {.kept = 5, .refused = 1},
        .admission_in_use = 40,
        .admission_capacity = 100,
        .inbound_length = 12,
        .delayed = 3,
        .registry = &scene,
        .visit_plugins = visit_plugins,
    };
}

static void end(void)
{
    figures_destroy(&scene.figures);
    buffer_fini(&scene.text);
}

static void scrape(void)
{
    scene.text.length = 0;
    metrics_write(&scene.text, &scene.sources);
}

/* A task of the type that waited, ran and ended well; its latency is the sum. */
static void finish_task(const struct type *type, int64_t wait_ns, int64_t run_ns)
{
    struct figures_tally tally = {0};
    struct task task = {.type = type, .name = 1, .submitted_ns = 1, .state = TASK_SUCCEEDED};
    struct task_list list;
    task_list_init(&list);
    task_list_push(&list, &task);
    figures_submit(scene.figures, &list);
    figures_turn_to(scene.figures, &tally, type);
    figures_add_attempt(&tally, &task, 1 + wait_ns, 1 + wait_ns + run_ns);
    figures_add_end(&tally, &task, 1 + wait_ns + run_ns);
    figures_flush(&tally);
}

static void expect_lines(const char *lines)
{
    cr_assert_not_null(strstr(buffer_text(&scene.text), lines), "no\n%sin\n%s", lines,
                       scene.text.bytes);
}

static int occurrences(const char *text)
{
    int count = 0;
    for (const char *at = buffer_text(&scene.text); (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

Test(metrics, of_a_type_appear_once_a_task_of_it_was_accepted, .init = begin, .fini = end)
{
    static const struct type mail = {"mail", 300};
    scrape();
    cr_assert_eq(occurrences("task_submitted_total{"), 0);
    finish_task(&mail, NS_PER_MS, NS_PER_MS);
    scrape();
    expect_lines("# HELP task_submitted_total Tasks that were accepted.\n"
                 "# TYPE task_submitted_total counter\n"
                 "task_submitted_total{type=\"mail\"} 1\n");
    expect_lines("task_finished_total{type=\"mail\",outcome=\"succeeded\"} 1\n"
                 "task_finished_total{type=\"mail\",outcome=\"failed\"} 0\n");
    expect_lines("worker_crashes_total{type=\"mail\",reason=\"signal\"} 0\n");
    expect_lines("task_retries_total{type=\"mail\"} 0\n");
}

Test(metrics, buckets_are_cumulated_and_end_in_all, .init = begin, .fini = end)
{
    static const struct type mail = {"mail", 0};
    finish_task(&mail, 30 * NS_PER_MS, 70 * NS_PER_MS);
    finish_task(&mail, 0, 2 * 3600 * NS_PER_S);
    scrape();
    expect_lines("# TYPE task_latency_seconds histogram\n"
                 "task_latency_seconds_bucket{type=\"mail\",le=\"1e-06\"} 0\n");
    expect_lines("task_latency_seconds_bucket{type=\"mail\",le=\"0.05\"} 0\n"
                 "task_latency_seconds_bucket{type=\"mail\",le=\"0.1\"} 1\n");
    expect_lines("task_latency_seconds_bucket{type=\"mail\",le=\"3600\"} 1\n"
                 "task_latency_seconds_bucket{type=\"mail\",le=\"+Inf\"} 2\n"
                 "task_latency_seconds_sum{type=\"mail\"} 7200.1\n"
                 "task_latency_seconds_count{type=\"mail\"} 2\n");
    expect_lines("task_wait_seconds_sum{type=\"mail\"} 0.03\n");
    expect_lines("task_run_seconds_count{type=\"mail\"} 2\n");
}

Test(metrics, of_groups_and_the_host_are_what_the_caller_has_found, .init = begin, .fini = end)
{
    scrape();
    expect_lines("worker_queue_length{type=\"mail\",group=\"mail\"} 7\n"
                 "worker_queue_length{type=\"*\",group=\"rest\"} 0\n");
    expect_lines("task_oldest_waiting_seconds{group=\"mail\"} 1.5\n"
                 "task_oldest_waiting_seconds{group=\"rest\"} 0\n");
    expect_lines("worker_busy{group=\"mail\"} 2\n");
    expect_lines("worker_stuck{group=\"rest\"} 1\n");
    expect_lines("admission_waiting{group=\"mail\"} 0\nadmission_waiting{group=\"rest\"} 1\n");
    expect_lines("\nadmission_weight_in_use 40\n");
    expect_lines("\nadmission_weight_capacity 100\n");
    expect_lines("\ninbound_queue_length 12\n");
    expect_lines("inbound_rejected_total{reason=\"inbound_full\"} 4\n"
                 "inbound_rejected_total{reason=\"queue_full\"} 0\n");
    expect_lines("\ndelayed_tasks 3\n");
    expect_lines("dead_tasks{type=\"mail\"} 9\n");
    expect_lines("scheduler_info{policy=\"round_robin\"} 1\n");
    expect_lines("build_info{version=\"0.1.0\"} 1\n");
    expect_lines("plugin_reloads_total{result=\"kept\"} 5\n");
}

Test(metrics, name_each_generation_of_a_plugin_once, .init = begin, .fini = end)
{
    scrape();
    expect_lines(
        "plugin_info{plugin=\"mail\",version=\"1.2\",generation=\"3\",state=\"active\"} 1\n"
        "plugin_info{plugin=\"mail\",version=\"1.1\",generation=\"2\",state=\"draining\"} 1\n"
        "plugin_info{plugin=\"mail\",version=\"1.3\",generation=\"0\",state=\"refused\"} 1\n"
        "# HELP plugin_reloads_total ");
}

Test(metrics, values_of_labels_are_escaped, .init = begin, .fini = end)
{
    static const struct type odd = {"a\"b\\c\nd\xff\xc3\xa9", 0};
    finish_task(&odd, 0, 0);
    scrape();
    expect_lines("task_submitted_total{type=\"a\\\"b\\\\c\\nd?\xc3\xa9\"} 1\n");
    expect_lines("task_run_seconds_bucket{type=\"a\\\"b\\\\c\\nd?\xc3\xa9\",le=\"+Inf\"} 1\n");
}

Test(metrics, numbers_are_exact_and_shortest, .init = begin, .fini = end)
{
    static const struct {
        int64_t ns;
        const char *text;
    } waits[] = {
        {0, "0"},
        {1, "0.000000001"},
        {NS_PER_MS, "0.001"},
        {NS_PER_S, "1"},
        {10 * NS_PER_S + 20, "10.00000002"},
        {-5, "0"},
        {INT64_MAX, "9223372036.854775807"},
    };
    struct metrics_group group = {"g", "t", .queued = UINT64_MAX};
    scene.sources.groups = &group;
    scene.sources.groups_count = 1;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        char line[128];
        group.oldest_waiting_ns = waits[i].ns;
        scrape();
        snprintf(line, sizeof line, "task_oldest_waiting_seconds{group=\"g\"} %s\n", waits[i].text);
        expect_lines(line);
    }
    expect_lines("worker_queue_length{type=\"t\",group=\"g\"} 18446744073709551615\n");
}

Test(metrics, of_a_store_that_commits_are_a_histogram_without_labels, .init = begin, .fini = end)
{
    struct histogram commits = {0};
    histogram_add(&commits, 4 * NS_PER_MS);
    histogram_merge(&scene.commits, &commits);
    scrape();
    expect_lines("store_commit_seconds_bucket{le=\"0.002\"} 0\n"
                 "store_commit_seconds_bucket{le=\"0.005\"} 1\n");
    expect_lines("store_commit_seconds_sum 0.004\nstore_commit_seconds_count 1\n");
    scene.sources.store_commit = NULL;
    scrape();
    cr_assert_eq(occurrences("\nstore_commit_seconds"), 0);
}

/* Whatever promtool has to say of the text, with its exit status behind. */
static void check(char *said, size_t most)
{
    char path[] = "/tmp/metrics-XXXXXX", command[128];
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, scene.text.bytes, scene.text.length), (ssize_t)scene.text.length);
    close(file);
    snprintf(command, sizeof command, "promtool check metrics <%s 2>&1; echo $?", path);
    FILE *promtool = popen(command, "r");
    said[fread(said, 1, most - 1, promtool)] = '\0';
    pclose(promtool);
    unlink(path);
}

Test(metrics, promtool_has_nothing_to_say, .init = begin, .fini = end)
{
    static const struct type types[] = {{"mail", 0}, {"a\"b\\c\nd\xff", 1}};
    char said[4096];
    for (int i = 0; i < 100; i++)
        finish_task(&types[i % 2], i * NS_PER_MS, i * NS_PER_US);
    scrape();
    check(said, sizeof said);
    cr_assert_str_eq(said, "0\n");
    buffer_puts(&scene.text, "undocumented 1\n");
    check(said, sizeof said);
    cr_assert_not_null(strstr(said, "undocumented"), "promtool only said %s", said);
}

/* What this thread has used of a processor: others may have it meanwhile. */
static int64_t used_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * NS_PER_S + used.tv_nsec;
}

Test(metrics, of_a_hundred_types_are_written_in_a_few_milliseconds, .init = begin, .fini = end)
{
    static struct type types[100];
    static char names[100][16];
    int64_t best_ns = INT64_MAX;
    for (uint32_t i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "type.%03u", i);
        types[i] = (struct type){names[i], i};
        finish_task(&types[i], NS_PER_S, NS_PER_MS);
    }
    for (int i = 0; i < 20; i++) {
        int64_t begun_ns = used_ns();
        scrape();
        int64_t took_ns = used_ns() - begun_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    cr_log_info("%zu bytes in %ld us", scene.text.length, (long)(best_ns / NS_PER_US));
    cr_assert_lt(best_ns, 50 * NS_PER_MS); /* ten times what it should take: sanitizers, load */
    cr_assert_eq(occurrences("_bucket{type="), 3 * 100 * HISTOGRAM_BUCKETS);
}
