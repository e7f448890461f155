#include <criterion/criterion.h>
#include <stdio.h>

#include "store/sqlite_index.h"

static struct sqlite_index jobs;

static void begin(void)
{
    sqlite_index_init(&jobs);
}

static void end(void)
{
    sqlite_index_fini(&jobs);
}

TestSuite(sqlite_index, .init = begin, .fini = end);

static void give_up(uint64_t key)
{
    char id[32];
    snprintf(id, sizeof(id), "job-%llu", (unsigned long long)key);
    struct sqlite_job *job =
        sqlite_job_create(&(struct store_job_given){.id = id, .name = "", .file = ""}, key);
    sqlite_index_add(&jobs, job);
    sqlite_index_give_up(&jobs, job);
    sqlite_job_destroy(&job);
}

Test(sqlite_index, all_jobs_that_are_given_up_in_a_row_are_known)
{
    enum { ALL = 100 * 1000, GAP = 7 };
    cr_assert_not(sqlite_index_was_given_up(&jobs, 0));
    for (uint64_t key = 1; key <= ALL; key++)
        if (key % ALL != GAP)
            give_up(key);
    for (uint64_t key = 1; key <= ALL; key++)
        cr_assert_eq(sqlite_index_was_given_up(&jobs, key), key != GAP);
    cr_assert_not(sqlite_index_was_given_up(&jobs, ALL + 1));
}

Test(sqlite_index, of_those_that_are_given_up_here_and_there_the_latest_are_known)
{
    enum { ALL = 3 * SQLITE_GIVEN_UP_RANGES };
    for (uint64_t key = 1; key <= ALL; key++)
        give_up(2 * key);
    for (uint64_t key = 1; key <= ALL; key++) {
        bool is_late = key > ALL - SQLITE_GIVEN_UP_RANGES;
        cr_assert_eq(sqlite_index_was_given_up(&jobs, 2 * key), is_late);
        cr_assert_not(sqlite_index_was_given_up(&jobs, 2 * key + 1));
    }
}
