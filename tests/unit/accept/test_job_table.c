#include <criterion/criterion.h>

#include <time.h>

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

Test(job_table, a_job_goes_while_another_thread_looks_for_it, .timeout = 60)
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

static struct job *add_again(const struct job *own, const char *name)
{
    struct job *job = job_create(&pool, "a", "a.yaml", JOB_CHECKED);
    memcpy(job->id, own->id, sizeof job->id);
    cr_assert(job_table_add(table, job, name));
    return job;
}

static size_t let_go_all(const char *id)
{
    struct job **jobs;
    size_t count = job_table_find_all(table, id, &jobs);
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_eq(jobs[i]->id, id);
        job_let_go(jobs[i]);
    }
    free(jobs);
    return count;
}

Test(job_table, finds_a_job_with_all_its_tasks_that_are_tried_again)
{
    struct job *a = add_job(), *b = add_job();
    struct job *tries[] = {add_again(a, "A:1"), add_again(a, "A:2"), add_again(b, "B:1")};
    cr_assert_eq(let_go_all(a->id), 3);
    cr_assert_eq(let_go_all(b->id), 2);
    cr_assert_eq(let_go_all("A:1"), 0);
    job_table_over(table, tries[1]);
    cr_assert_eq(let_go_all(a->id), 2);
    job_table_over(table, a);
    cr_assert_eq(let_go_all(a->id), 1);
    job_table_over(table, tries[0]);
    cr_assert_eq(let_go_all(a->id), 0);
    job_table_over(table, tries[2]);
    cr_assert_eq(let_go_all(b->id), 1);
}

static double used_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* All of them are cancelled, one by one. */
Test(job_table, finding_each_of_many_jobs_costs_no_more_than_adding_them)
{
    enum { JOBS = 20000 };
    static struct job *jobs[JOBS];
    double begun_s = used_s();
    for (size_t i = 0; i < JOBS; i++)
        jobs[i] = add_job();
    double added_s = used_s() - begun_s;
    begun_s = used_s();
    for (size_t i = 0; i < JOBS; i++)
        cr_assert_eq(let_go_all(jobs[i]->id), 1);
    cr_assert_lt(used_s() - begun_s, 5 * added_s + 0.1);
}
