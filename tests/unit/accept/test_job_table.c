#include <criterion/criterion.h>

#include "accept/job_table.h"
#include "support/thread.h"

static struct chunk_pool pool;
static struct job_table *table;

static void table_begin(void)
{
    chunk_pool_init(&pool);
    table = job_table_create();
}

static void table_end(void)
{
    job_table_destroy(&table);
    chunk_pool_fini(&pool);
}

TestSuite(job_table, .init = table_begin, .fini = table_end);

static struct job *add_job(void)
{
    struct job *job = job_create(&pool, "a", "a.yaml", JOB_CHECKED);
    cr_assert(job_table_add(table, job, NULL));
    return job;
}

Test(job_table, finds_a_job_by_its_id_and_holds_it)
{
    struct job *job = add_job();
    cr_assert_eq(job_table_count(table), 1);
    cr_assert_eq(job_table_find(table, job->id), job);
    cr_assert(job_is_held(job));
    cr_assert_null(job_table_find(table, "01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    job_let_go(job);
}

Test(job_table, a_job_that_is_over_is_not_found_but_stays_while_it_is_held)
{
    struct job *job = add_job();
    char id[JOB_ID_BYTES];
    memcpy(id, job->id, sizeof id);
    job_hold(job);
    cr_assert_not(job_table_waits(table));
    cr_assert(job_table_over(table, job));
    cr_assert(job_table_waits(table));
    cr_assert_null(job_table_find(table, id));
    cr_assert_eq(job_table_count(table), 0);
    cr_assert_eq(job_table_sweep(table), 1);
    cr_assert_str_eq(job->id, id);
    job_let_go(job);
    cr_assert_eq(job_table_sweep(table), 0);
    cr_assert_not(job_table_waits(table));
}

Test(job_table, stops_the_jobs_that_are_there_and_those_that_come)
{
    struct job *before = add_job();
    job_table_stop(table);
    struct job *after = add_job();
    cr_assert_eq(before->stop, JOB_STOPPED);
    cr_assert_eq(after->stop, JOB_STOPPED);
}

enum { LOOKS = 20000 };

static void look_on(void *argument)
{
    const char *id = argument;
    for (int i = 0; i < LOOKS; i++) {
        struct job *job = job_table_find(table, id);
        if (job == NULL)
            return;
        cr_assert_eq(job->unfinished, 1);
        job_let_go(job);
    }
}

Test(job_table, a_job_goes_while_another_thread_looks_for_it, .timeout = 30)
{
    for (int i = 0; i < 100; i++) {
        struct thread thread;
        struct error error;
        struct job *job = add_job();
        char id[JOB_ID_BYTES];
        memcpy(id, job->id, sizeof id);
        cr_assert(thread_start(&thread, "looker", look_on, id, &error));
        job_table_over(table, job);
        while (job_table_sweep(table) > 0)
            thread_relax();
        thread_join(&thread);
    }
}

Test(job_table, finds_a_job_by_another_name_that_is_taken_once)
{
    struct job *job = job_create(&pool, "a", "a.yaml", JOB_CHECKED);
    struct job *other = job_create(&pool, "b", "b.yaml", JOB_CHECKED);
    cr_assert(job_table_add(table, job, "X:y"));
    cr_assert_not(job_table_add(table, other, "X:y"));
    cr_assert_eq(job_table_find(table, "X:y"), job);
    cr_assert_null(job_table_find(table, job->id));
    job_let_go(job);
    job_table_over(table, job);
    cr_assert(job_table_add(table, other, "X:y"));
}
