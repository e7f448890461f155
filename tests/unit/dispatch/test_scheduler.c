#include <criterion/criterion.h>
#include <string.h>

#include "dispatch/scheduler.h"

enum { TASKS = 250, CANDIDATES_MOST = 7 };

static const struct type types[] = {{"a", 0}, {"b", 1}};

struct candidates {
    uint32_t first; /* id; the others follow */
    size_t count;
};

/* Plans count tasks of a type among candidates, and adds up in sums. */
static void plan(void *state, int type, struct candidates among, size_t count,
                 size_t sums[CANDIDATES_MOST])
{
    static struct task tasks[TASKS];
    const struct task *pointers[TASKS];
    struct candidate candidates[CANDIDATES_MOST] = {0};
    uint32_t out[TASKS];
    for (size_t i = 0; i < count; i++) {
        tasks[i].type = &types[type];
        pointers[i] = &tasks[i];
    }
    for (uint32_t i = 0; i < among.count; i++)
        candidates[i].id = among.first + i;
    struct plan plan = {pointers, count, candidates, among.count};
    scheduler_round_robin.plan(state, &plan, out);
    for (size_t i = 0; i < count; i++) {
        cr_assert_lt(out[i], among.count);
        sums[out[i]]++;
    }
}

Test(scheduler, finds_the_policies_of_the_table_and_no_others)
{
#define SCHEDULER(noun, meaning) cr_assert_eq(scheduler_find(#noun), &scheduler_##noun);
#include "dispatch/schedulers.def"
#undef SCHEDULER
    cr_assert_null(scheduler_find("round"));
    cr_assert_null(scheduler_find(""));
}

Test(scheduler, round_robin_spreads_evenly_in_any_pieces)
{
    static const size_t pieces[] = {1, 2, 3, 64, TASKS};
    for (size_t candidates = 2; candidates <= CANDIDATES_MOST; candidates++)
        for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
            size_t sums[CANDIDATES_MOST] = {0};
            void *state = scheduler_round_robin.create();
            for (size_t done = 0; done < 100; done++)
                plan(state, 0, (struct candidates){0, candidates}, pieces[p], sums);
            scheduler_round_robin.destroy(state);
            for (size_t i = 1; i < candidates; i++)
                cr_assert_leq(sums[0] - sums[i], 1, "%zu by %zu", candidates, pieces[p]);
        }
}

Test(scheduler, round_robin_spreads_two_types_that_alternate_each_evenly)
{
    size_t sums[2][CANDIDATES_MOST] = {0};
    void *state = scheduler_round_robin.create();
    for (int i = 0; i < 100; i++)
        plan(state, i % 2, (struct candidates){0, 2}, 1, sums[i % 2]);
    scheduler_round_robin.destroy(state);
    for (int type = 0; type < 2; type++)
        cr_assert_eq(sums[type][0], 25, "type %d: %zu of 50", type, sums[type][0]);
}

Test(scheduler, round_robin_spreads_a_type_with_two_sets_of_labels_evenly)
{
    size_t sums[2][CANDIDATES_MOST] = {0};
    void *state = scheduler_round_robin.create();
    for (int i = 0; i < 100; i++)
        plan(state, 0, (struct candidates){i % 2 == 0 ? 0 : 2, 2}, 1, sums[i % 2]);
    scheduler_round_robin.destroy(state);
    for (int set = 0; set < 2; set++)
        cr_assert_eq(sums[set][0], 25, "set %d: %zu of 50", set, sums[set][0]);
}

/* Plans count tasks by a policy with a state of its own; sums[i] is how many candidate i got. */
static void plan_anew(const struct scheduler *scheduler, const struct candidate *candidates,
                      size_t candidates_count, size_t count, size_t sums[CANDIDATES_MOST])
{
    static const struct task task = {.type = &types[0]};
    const struct task *pointers[TASKS];
    uint32_t out[TASKS];
    for (size_t i = 0; i < count; i++)
        pointers[i] = &task;
    struct plan plan = {pointers, count, candidates, candidates_count};
    void *state = scheduler->create();
    scheduler->plan(state, &plan, out);
    scheduler->destroy(state);
    for (size_t i = 0; i < count; i++)
        sums[out[i]]++;
}

Test(scheduler, load_aware_fills_up_to_the_same_number_of_tasks_a_worker)
{
    const struct candidate candidates[] = {{.queued = 10, .running = 1, .workers = 1},
                                           {.queued = 0, .running = 2, .workers = 4},
                                           {.queued = 30, .running = 2, .workers = 2}};
    size_t sums[CANDIDATES_MOST] = {0};
    plan_anew(&scheduler_load_aware, candidates, 3, 42, sums);
    cr_assert_eq(sums[0], 0, "%zu", sums[0]);
    cr_assert_eq(sums[1], 42, "%zu", sums[1]); /* 44 for 4 workers: as many as the first has */
    plan_anew(&scheduler_load_aware, candidates, 3, 42 + 10, sums);
    cr_assert_eq(sums[0], 2, "%zu", sums[0]);
    cr_assert_eq(sums[1], 42 + 50, "%zu", sums[1]);
    cr_assert_eq(sums[2], 0, "%zu", sums[2]);
}

Test(scheduler, load_aware_takes_the_one_of_equals_that_keeps_processors_less_busy)
{
    const struct candidate candidates[] = {{.workers = 2, .cpu_milli = 900},
                                           {.workers = 2, .cpu_milli = 100},
                                           {.workers = 2, .cpu_milli = 500}};
    size_t sums[CANDIDATES_MOST] = {0};
    plan_anew(&scheduler_load_aware, candidates, 3, 1, sums);
    cr_assert_eq(sums[1], 1);
}

Test(scheduler, load_aware_takes_full_equals_in_turn)
{
    const struct candidate candidates[3] = {{.workers = 1}, {.workers = 1}, {.workers = 1}};
    static const struct task task = {.type = &types[0]};
    const struct task *pointer = &task;
    struct plan plan = {&pointer, 1, candidates, 3};
    void *state = scheduler_load_aware.create();
    for (uint32_t i = 0; i < 9; i++) {
        uint32_t out;
        scheduler_load_aware.plan(state, &plan, &out);
        cr_assert_eq(out, i % 3);
    }
    scheduler_load_aware.destroy(state);
}

Test(scheduler, tag_based_takes_the_fewest_labels_beyond_and_then_the_least_load)
{
    const struct candidate candidates[] = {{.workers = 9, .extra_labels = 2},
                                           {.queued = 50, .workers = 1, .extra_labels = 1},
                                           {.queued = 40, .workers = 1, .extra_labels = 1}};
    size_t sums[CANDIDATES_MOST] = {0};
    plan_anew(&scheduler_tag_based, candidates, 3, 30, sums);
    cr_assert_eq(sums[0], 0);
    cr_assert_eq(sums[1], 10);
    cr_assert_eq(sums[2], 20);
}
