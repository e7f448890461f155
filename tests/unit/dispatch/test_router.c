#include <criterion/criterion.h>
#include <string.h>

#include "accept/job.h"
#include "dispatch/router.h"
#include "fakes.h"

static struct router *router;
static struct admission *admission;

static const struct sluice_map no_labels = {0};
static const struct sluice_pair sh_fast_pairs[] = {{"region", "sh"}, {"speed", "fast"}};
static const struct sluice_map sh_fast = {2, sh_fast_pairs};
static const struct sluice_map sh = {1, sh_fast_pairs};
static const struct sluice_pair bj_pairs[] = {{"region", "bj"}};
static const struct sluice_map bj = {1, bj_pairs};
static const struct sluice_pair both_pairs[] = {{"region", "bj"}, {"speed", "fast"}};
static const struct sluice_map bj_fast = {2, both_pairs};

static void router_with(const struct router_group *groups, size_t count)
{
    admission = admission_create(100);
    struct router_options options = {
        .admission = admission, .groups = groups, .groups_count = count, .default_workers = 6};
    router = router_create(&options);
}

static void router_end(void)
{
    router_destroy(&router);
    cr_assert_null(router);
    admission_destroy(&admission);
}

static struct task task_of(int type, const struct sluice_map *labels)
{
    return (struct task){
        .id = "t", .type = &fake_types[type], .labels = labels, .state = TASK_READY};
}

Test(router, a_type_that_nobody_configured_has_a_group_of_its_own)
{
    struct task tasks[] = {task_of(0, NULL), task_of(1, NULL)};
    const struct route *routes[2], *again;
    router_with(NULL, 0);
    for (int i = 0; i < 2; i++) {
        cr_assert_not_null(routes[i] = router_find(router, &tasks[i]));
        cr_assert_eq(routes[i]->count, 1);
        cr_assert_str_eq(group_name(routes[i]->lanes[0].group), fake_types[i].name);
        cr_assert_eq(group_load(routes[i]->lanes[0].group).workers, 6);
    }
    cr_assert_neq(routes[0]->lanes[0].group, routes[1]->lanes[0].group);
    cr_assert_not_null(again = router_find(router, &tasks[0]));
    cr_assert_eq(again, routes[0]);
    cr_assert_eq(router_lanes_count(router), 2);
    router_end();
}

Test(router, configured_groups_serve_the_types_that_their_globs_match)
{
    static const struct router_group groups[] = {
        {.name = "all", .type = "t[0-4]", .labels = &no_labels, .workers = 2},
        {.name = "one", .type = "t3", .labels = &no_labels, .workers = 3},
        {.name = "none", .type = "x*", .labels = &no_labels, .workers = 3}};
    struct task three = task_of(3, NULL), four = task_of(4, NULL), five = task_of(5, NULL);
    const struct route *route;
    router_with(groups, 3);
    cr_assert_not_null(route = router_find(router, &three));
    cr_assert_eq(route->count, 2);
    cr_assert_str_eq(group_name(route->lanes[0].group), "all");
    cr_assert_str_eq(group_name(route->lanes[1].group), "one");
    cr_assert_not_null(route = router_find(router, &four));
    cr_assert_eq(route->count, 1);
    cr_assert_not_null(route = router_find(router, &five));
    cr_assert_str_eq(group_name(route->lanes[0].group), "t5");
    cr_assert_eq(route->lanes[0].id, 3);
    router_end();
}

Test(router, a_lane_must_have_all_labels_of_the_task)
{
    static const struct sluice_map *const _Atomic none = &no_labels, *const _Atomic two = &sh_fast;
    struct lane plain = {.labels = &none}, fast = {.labels = &two};
    static const struct {
        const struct sluice_map *labels;
        bool plain, fast;
        uint32_t plain_extra, fast_extra; /* that the lane has beyond them */
    } table[] = {{NULL, true, true, 0, 2},  {&no_labels, true, true, 0, 2},
                 {&sh, false, true, 9, 1},  {&sh_fast, false, true, 9, 0},
                 {&bj, false, false, 9, 9}, {&bj_fast, false, false, 9, 9}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct task task = task_of(0, table[i].labels);
        uint32_t plain_extra = 9, fast_extra = 9;
        cr_expect_eq(router_allows(&plain, &task, &plain_extra), table[i].plain, "row %zu", i);
        cr_expect_eq(router_allows(&fast, &task, &fast_extra), table[i].fast, "row %zu", i);
        cr_expect_eq(plain_extra, table[i].plain_extra, "row %zu", i);
        cr_expect_eq(fast_extra, table[i].fast_extra, "row %zu", i);
    }
}

Test(router, new_labels_of_a_group_hold_for_what_is_routed_then)
{
    struct router_group groups[] = {
        {.name = "sh", .type = "t0", .labels = &sh, .workers = 1, .max_weight = 5}};
    struct task right = task_of(0, &sh), wrong = task_of(0, &bj_fast);
    router_with(groups, 1);
    cr_assert_not_null(router_find(router, &right));
    cr_assert_null(router_find(router, &wrong));
    groups[0].labels = &bj_fast;
    groups[0].workers = 3;
    router_set_group(router, 0, &groups[0]);
    cr_assert_null(router_find(router, &right));
    cr_assert_not_null(router_find(router, &wrong));
    cr_assert_eq(group_load(&fake_groups[0]).workers, 3);
    router_end();
}

Test(router, new_default_workers_hold_for_groups_that_are_there_and_that_will_be)
{
    static const struct router_group groups[] = {
        {.name = "two", .type = "t2", .labels = &no_labels, .workers = 2}};
    struct task tasks[] = {task_of(0, NULL), task_of(1, NULL), task_of(2, NULL)};
    static const uint32_t workers[] = {9, 9, 2};
    router_with(groups, 1);
    cr_assert_not_null(router_find(router, &tasks[0]));
    router_set_default_workers(router, 9);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(group_load(router_find(router, &tasks[i])->lanes[0].group).workers,
                     workers[i]);
    router_end();
}

Test(router, says_when_no_group_has_the_labels_and_when_no_plugin_serves_the_type)
{
    static const struct router_group groups[] = {
        {.name = "sh", .type = "t*", .labels = &sh, .workers = 1}};
    struct task right = task_of(0, &sh), wrong = task_of(0, &bj_fast);
    char why[200];
    router_with(groups, 1);
    cr_assert_not_null(router_find(router, &right));
    cr_assert(router_may_run(router, &right, why, sizeof why));
    cr_assert_null(router_find(router, &wrong));
    cr_assert(!router_may_run(router, &wrong, why, sizeof why));
    cr_assert_str_eq(why, "no group with labels region=bj,speed=fast for type 't0'");
    fake_served[0] = false;
    cr_assert_not_null(router_find(router, &right), "its group says so later");
    cr_assert(!router_may_run(router, &right, why, sizeof why));
    cr_assert_str_eq(why, "no plugin for type 't0'");
    router_end();
}

Test(router, an_explanation_is_cut_where_its_room_ends)
{
    static struct sluice_pair pairs[100];
    struct sluice_map many = {100, pairs};
    struct task task = task_of(0, &many);
    char text[40];
    for (int i = 0; i < 100; i++)
        pairs[i] = (struct sluice_pair){"a-rather-long-key", "a-rather-long-value"};
    router_with(NULL, 0);
    for (size_t room = 1; room <= sizeof text; room++) {
        memset(text, 'x', sizeof text);
        cr_assert(!router_may_run(router, &task, text, room));
        cr_assert_eq(strlen(text), room - 1);
    }
    router_end();
}

Test(router, parked_tasks_of_a_job_that_stops_come_back_alone_and_in_order)
{
    struct job jobs[2] = {0};
    struct task tasks[10];
    struct task_list list;
    router_with(NULL, 0);
    task_list_init(&list);
    for (int i = 0; i < 10; i++) {
        tasks[i] = task_of(0, &bj);
        tasks[i].job = &jobs[i % 2];
        router_park(router, &tasks[i]);
        cr_assert_eq(tasks[i].state, TASK_PARKED);
    }
    cr_assert_eq(router_parked(router), 10);
    jobs[1].stop = JOB_CANCELLED;
    router_purge(router, &jobs[0], &list);
    cr_assert_eq(list.count, 0);
    router_purge(router, NULL, &list);
    for (int i = 1; i < 10; i += 2)
        cr_assert_eq(task_list_pop(&list), &tasks[i]);
    cr_assert_eq(router_parked(router), 5);
    router_unpark(router, &list);
    for (int i = 0; i < 10; i += 2)
        cr_assert_eq(task_list_pop(&list), &tasks[i]);
    cr_assert_eq(router_parked(router), 0);
    router_end();
}

enum { ASKERS = 4 };

struct asker {
    struct thread thread;
    const struct route *routes[FAKE_TYPES];
};

static void ask_for_all_types(void *argument)
{
    struct asker *asker = argument;
    for (int i = 0; i < FAKE_TYPES; i++) {
        struct task task = task_of(i, NULL);
        asker->routes[i] = router_find(router, &task);
    }
}

Test(router, makes_one_group_for_a_type_however_many_ask_at_once)
{
    for (int round = 0; round < 20; round++) {
        struct asker askers[ASKERS];
        fake_groups_count = 0;
        router_with(NULL, 0);
        for (int i = 0; i < ASKERS; i++)
            cr_assert(
                thread_start(&askers[i].thread, "asker", ask_for_all_types, &askers[i], NULL));
        for (int i = 0; i < ASKERS; i++)
            thread_join(&askers[i].thread);
        for (int i = 1; i < ASKERS; i++)
            cr_assert_arr_eq(askers[i].routes, askers[0].routes, sizeof askers[0].routes);
        cr_assert_eq(fake_groups_count, FAKE_TYPES);
        router_end();
    }
}

static struct task_list list_of(struct task *tasks, size_t count)
{
    struct task_list list;
    task_list_init(&list);
    for (size_t i = 0; i < count; i++)
        task_list_push(&list, &tasks[i]);
    return list;
}

static const struct router_turn at_once = {0};

Test(router, reserves_a_place_for_each_task_where_there_is_most_room)
{
    static const struct router_group groups[] = {
        {.name = "few", .type = "t0", .labels = &no_labels, .workers = 1, .queue_capacity = 2},
        {.name = "more", .type = "t0", .labels = &sh, .workers = 1, .queue_capacity = 4}};
    struct task tasks[6];
    const char *full = NULL;
    router_with(groups, 2);
    for (int i = 0; i < 6; i++)
        tasks[i] = task_of(0, i < 4 ? NULL : &sh);
    struct task_list list = list_of(tasks, 6);
    cr_assert(router_reserve(router, &list, &at_once, &full) == false);
    cr_assert_str_eq(full, "more"); /* the last one asks for a label that is only there */
    cr_assert_eq(fake_groups[0].accepted + fake_groups[1].accepted, 0);
    for (int i = 0; i < 6; i++)
        cr_assert_eq(tasks[i].charged, 0);
    list = list_of(tasks, 4);
    cr_assert(router_reserve(router, &list, &at_once, &full));
    cr_assert_eq(fake_groups[0].accepted, 1);
    cr_assert_eq(fake_groups[1].accepted, 3);
    cr_assert_eq(router_charged(router, &tasks[0]), &fake_groups[1]);
    for (int i = 0; i < 4; i++)
        router_discharge(router, &tasks[i]);
    cr_assert_eq(fake_groups[0].accepted + fake_groups[1].accepted, 0);
    router_end();
}

Test(router, a_lane_without_a_capacity_is_reserved_before_all_others)
{
    static const struct router_group groups[] = {
        {.name = "a", .type = "t0", .labels = &no_labels, .workers = 1, .queue_capacity = 9},
        {.name = "b", .type = "t0", .labels = &no_labels, .workers = 1}};
    struct task tasks[20];
    const char *full = NULL;
    router_with(groups, 2);
    for (int i = 0; i < 20; i++)
        tasks[i] = task_of(0, NULL);
    struct task_list list = list_of(tasks, 20);
    cr_assert(router_reserve(router, &list, &at_once, &full));
    cr_assert_eq(fake_groups[1].accepted, 20);
    router_end();
}

Test(router, what_could_have_places_if_all_were_free_is_told_from_what_never_could)
{
    static const struct router_group groups[] = {
        {.name = "few", .type = "t0", .labels = &no_labels, .workers = 1, .queue_capacity = 2},
        {.name = "more", .type = "t0", .labels = &sh, .workers = 1, .queue_capacity = 4}};
    struct task before[6], tasks[7];
    const char *full = NULL;
    router_with(groups, 2);
    for (int i = 0; i < 6; i++)
        before[i] = task_of(0, NULL);
    for (int i = 0; i < 7; i++)
        tasks[i] = task_of(0, NULL);
    struct task_list list = list_of(before, 6);
    cr_assert(router_reserve(router, &list, &at_once, &full)); /* nothing is free now */
    list = list_of(tasks, 6);
    cr_assert(router_reserve(router, &list, &at_once, &full) == false);
    cr_assert(router_may_reserve(router, &list));
    list = list_of(tasks, 7);
    cr_assert(router_may_reserve(router, &list) == false);
    for (int i = 0; i < 7; i++)
        tasks[i] = task_of(1, NULL); /* of a type whose group has no limit */
    list = list_of(tasks, 7);
    cr_assert(router_may_reserve(router, &list));
    router_end();
}

static bool wants(struct task *tasks, size_t count, uint64_t ticket, uint64_t round)
{
    const char *full = NULL;
    const struct router_turn turn = {ticket, round};
    struct task_list list = list_of(tasks, count);
    return router_reserve(router, &list, &turn, &full);
}

enum { LARGE = 1, SMALL, OTHER };

Test(router, behind_one_that_waits_for_a_group_wait_those_alone_that_need_it)
{
    static const struct router_group groups[] = {
        {.name = "a", .type = "t0", .labels = &no_labels, .workers = 1, .queue_capacity = 4},
        {.name = "b", .type = "t1", .labels = &no_labels, .workers = 1, .queue_capacity = 4},
        {.name = "c", .type = "t[12]", .labels = &no_labels, .workers = 1, .queue_capacity = 4}};
    struct task before[3], large[3], small[1], either[5];
    router_with(groups, 3);
    for (int i = 0; i < 3; i++) {
        before[i] = task_of(0, NULL);
        large[i] = task_of(0, NULL);
    }
    for (int i = 0; i < 5; i++)
        either[i] = task_of(1, NULL);
    small[0] = task_of(0, NULL);
    cr_assert(wants(before, 3, OTHER, 1));
    cr_assert_not(wants(large, 3, LARGE, 1));
    cr_assert_not(wants(small, 1, SMALL, 1), "there is a place, and it is promised");
    cr_assert(wants(either, 5, OTHER, 1), "of another group");
    router_discharge(router, &before[0]);
    cr_assert_not(wants(large, 3, LARGE, 2));
    cr_assert_not(wants(small, 1, SMALL, 2));
    router_discharge(router, &before[1]);
    cr_assert(wants(large, 3, LARGE, 3));
    router_discharge(router, &before[2]);
    cr_assert(wants(small, 1, SMALL, 3), "nobody waits before it");
    router_end();
}

Test(router, who_waits_for_one_group_after_the_other_keeps_what_was_promised)
{
    static const struct router_group groups[] = {
        {.name = "a", .type = "t0", .labels = &no_labels, .workers = 1, .queue_capacity = 2},
        {.name = "b", .type = "t1", .labels = &no_labels, .workers = 1, .queue_capacity = 2}};
    struct task before[2] = {task_of(0, NULL), task_of(1, NULL)};
    struct task small[1] = {task_of(0, NULL)};
    struct task large[4] = {task_of(0, NULL), task_of(0, NULL), task_of(1, NULL), task_of(1, NULL)};
    router_with(groups, 2);
    cr_assert(wants(before, 2, OTHER, 1));
    cr_assert_not(wants(large, 4, LARGE, 1), "for want of the first group");
    router_discharge(router, &before[0]);
    cr_assert_not(wants(large, 4, LARGE, 2), "for want of the second");
    cr_assert_not(wants(small, 1, SMALL, 2), "the first is still promised");
    router_discharge(router, &before[1]);
    cr_assert(wants(large, 4, LARGE, 3));
    router_end();
}

static char shown[256];

static void note_group(void *context, const struct router_facts *facts)
{
    (void)context;
    snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s %s %zu, ",
             group_name(facts->group), facts->type, facts->labels->count);
}

Test(router, shows_all_groups_and_finds_them_by_name)
{
    static const struct router_group groups[] = {
        {.name = "one", .type = "t[01]", .labels = &sh_fast, .workers = 1}};
    struct task three = task_of(3, NULL);
    router_with(groups, 1);
    router_find(router, &three);
    router_visit(router, note_group, NULL);
    cr_assert_str_eq(shown, "one t[01] 2, t3 t3 0, ");
    cr_assert_eq(router_find_group(router, "one"), &fake_groups[0]);
    cr_assert_eq(router_find_group(router, "t3"), &fake_groups[1]);
    cr_assert_null(router_find_group(router, "t4"));
    router_end();
}
