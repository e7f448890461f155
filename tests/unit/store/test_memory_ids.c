#include <criterion/criterion.h>
#include <stdio.h>

#include "stage.h"
#include "store/memory_ids.h"
#include "store/memory_walk.h"

enum { MANY = 300000 };

static void fill(struct memory_ids *ids, uint32_t from, uint32_t to, uint32_t expected)
{
    char id[16];
    for (uint32_t i = from; i < to; i++) {
        snprintf(id, sizeof(id), "t%u", i);
        memory_ids_add(ids, i, id, expected);
    }
}

static void expect_number(const struct memory_ids *ids, uint32_t number)
{
    char id[16];
    uint32_t found = 0;
    snprintf(id, sizeof(id), "t%u", number);
    while (memory_ids_next(ids, id, &found) && found != number) /* another id of the same hash */
        found++;
    cr_assert_eq(found, number);
}

Test(memory_ids, finds_nothing_in_an_empty_one)
{
    struct memory_ids ids = {0};
    uint32_t number = 0;
    cr_assert_not(memory_ids_next(&ids, "t0", &number));
    memory_ids_fini(&ids);
}

Test(memory_ids, finds_all_in_a_row_that_grows_beyond_what_was_expected)
{
    struct memory_ids ids = {0};
    fill(&ids, 0, 10, 10);
    fill(&ids, 10, 5000, 500);
    fill(&ids, 6000, 7000, 6000);
    for (uint32_t i = 0; i < 5000; i += 7)
        expect_number(&ids, i);
    expect_number(&ids, 6000);
    expect_number(&ids, 6999);
    cr_assert_eq(ids.next_number, 7000);
    memory_ids_fini(&ids);
}

Test(memory_ids, gives_numbers_of_the_same_id_in_their_order)
{
    struct memory_ids ids = {0};
    uint32_t number = 0;
    for (uint32_t i = 0; i < 200; i += 2)
        memory_ids_add(&ids, i, "same", 10);
    for (uint32_t i = 0; i < 200; i += 2, number++) {
        cr_assert(memory_ids_next(&ids, "same", &number));
        cr_assert_eq(number, i);
    }
    cr_assert_not(memory_ids_next(&ids, "same", &number));
    memory_ids_fini(&ids);
}

/* A job of MANY tasks that have ended and are kept, but for the first and the last. */
static uint64_t long_job(void)
{
    stage_open("memory", MANY, MANY);
    uint64_t job = stage_job("A");
    stage_tasks(job, "first", NULL, 1);
    stage_tasks(job, "noop", NULL, MANY - 2);
    stage_tasks(job, "last", NULL, 1);
    for (uint32_t i = 1; i < MANY - 1; i++)
        cr_assert_eq(stage_end_as(job, i, i % 2 == 0 ? STORE_SUCCEEDED : STORE_FAILED), STORE_DONE);
    return job;
}

/* How many jobs and tasks are looked at, or described, to find one. */
static uint64_t looks_for(uint64_t job, const char *id, const char *seen)
{
    uint64_t *looks = &((struct memory *)stage)->looks, before = *looks;
    int described = stage_described;
    cr_assert_str_eq(stage_visit((struct store_query){.job = job, .id = id, .limit = 1}), seen);
    return *looks - before + (uint64_t)(stage_described - described);
}

Test(memory_ids, a_task_of_a_long_job_is_found_without_looking_at_the_others)
{
    char last[16];
    uint64_t job = long_job();
    stage_end_as(job, MANY - 1, STORE_SUCCEEDED);
    snprintf(last, sizeof(last), "1/%d", MANY - 1);
    cr_assert_lt(looks_for(job, "last-0", last), MANY + 2000); /* the first that is asked for */
    cr_assert_lt(looks_for(job, "last-0", last), 100);
    cr_assert_lt(looks_for(job, "none", ""), 100);
    stage_tasks(job, "later", NULL, 1000);
    snprintf(last, sizeof(last), "1/%d", MANY + 999);
    cr_assert_lt(looks_for(job, "later-999", last), 2200);
    cr_assert_lt(looks_for(job, "later-999", last), 100);
    stage_close();
}

Test(memory_ids, who_knows_the_number_or_has_a_short_job_looks_at_one)
{
    uint64_t job = long_job();
    uint64_t *looks = &((struct memory *)stage)->looks;
    cr_assert_lt(looks_for(job, "first-0", "1/0"), 20);
    uint64_t before = *looks;
    stage_visit((struct store_query){
        .job = job, .id = "last-0", .limit = 1, .resume = true, .after = {job, MANY - 2}});
    cr_assert_str_eq(stage_last.id, "last-0");
    cr_assert_lt(*looks - before, 20);
    uint64_t alone = stage_job("B");
    stage_tasks(alone, "alone", NULL, 1);
    cr_assert_lt(looks_for(alone, "alone-0", "2/0"), 20);
    stage_close();
}
