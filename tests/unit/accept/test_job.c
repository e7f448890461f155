#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "accept/job.h"
#include "support/clock.h"

static struct chunk_pool pool;

static void pool_begin(void)
{
    chunk_pool_init(&pool);
}

/* Every chunk has come back, or the sanitizers say so. */
static void pool_end(void)
{
    chunk_pool_fini(&pool);
}

TestSuite(job, .init = pool_begin, .fini = pool_end);

static struct task *add_numbered(struct job *job, uint32_t number)
{
    char id[32];
    uint32_t first_line;
    int length = snprintf(id, sizeof id, "t-%u", number);
    return job_add_task(job, id, (size_t)length, &first_line);
}

static struct job *filled_job(enum job_mode mode, uint32_t count)
{
    struct job *job = job_create(&pool, "name", "file.yaml", mode);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_not_null(add_numbered(job, i));
    return job;
}

/* Takes all tasks in steps, checks that they come in order, and ends them. */
static uint32_t take_and_end_all(struct job *job, size_t step)
{
    struct task_list list;
    uint32_t next = 0;
    task_list_init(&list);
    while (job_take_tasks(job, step, &list)) {
        cr_assert_leq(list.count, step);
        for (struct task *task; (task = task_list_pop(&list)) != NULL; next++) {
            char id[32];
            snprintf(id, sizeof id, "t-%u", next);
            cr_assert_eq(task->number, next);
            cr_assert_str_eq(task->id, id);
            cr_assert_eq(task->attempt, 1);
            chunk_release(task->chunk, 1);
        }
    }
    cr_assert_eq(list.count, 0);
    return next;
}

Test(job, has_a_ulid_of_26_letters_that_begins_with_the_time)
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    int64_t before_ms = clock_wall_ns() / NS_PER_MS;
    struct job *job = job_create(&pool, "a", "a.yaml", JOB_CHECKED);
    int64_t ms = 0;
    cr_assert_eq(strlen(job->id), 26);
    cr_assert_eq(strspn(job->id, letters), 26);
    for (int i = 0; i < 10; i++)
        ms = ms << 5 | (strchr(letters, job->id[i]) - letters);
    cr_assert_geq(ms, before_ms);
    cr_assert_leq(ms, clock_wall_ns() / NS_PER_MS);
    job_destroy(&job);
}

Test(job, ids_of_jobs_differ)
{
    enum { JOBS = 200 };
    struct job *jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = job_create(&pool, "a", "a.yaml", JOB_CHECKED);
        for (int other = 0; other < i; other++)
            cr_assert_str_neq(jobs[i]->id, jobs[other]->id);
    }
    for (int i = 0; i < JOBS; i++)
        job_destroy(&jobs[i]);
}

Test(job, copies_its_name)
{
    char name[] = "first";
    struct job *job = job_create(&pool, name, "f", JOB_CHECKED);
    name[0] = 'x';
    cr_assert_str_eq(job->name, "first");
    job_set_name(job, "second");
    cr_assert_str_eq(job->name, "second");
    job_destroy(&job);
    cr_assert_null(job);
    job_destroy(&job);
}

Test(job, a_second_task_of_an_id_is_refused_with_the_line_of_the_first)
{
    struct job *job = filled_job(JOB_CHECKED, 600);
    uint32_t first_line = 0;
    struct task *task = job_add_task(job, "same", 4, &first_line);
    task->line = 77;
    cr_assert_not_null(add_numbered(job, 1000));
    cr_assert_null(job_add_task(job, "same", 4, &first_line));
    cr_assert_eq(first_line, 77);
    cr_assert_eq(job->tasks_count, 602);
    job_destroy(&job);
}

Test(job, a_streamed_one_does_not_know_the_line)
{
    struct job *job = job_create(&pool, "a", "f", JOB_STREAMED);
    uint32_t first_line = 99;
    struct task *task = job_add_task(job, "same", 4, &first_line);
    task->line = 77;
    cr_assert_null(job_add_task(job, "same", 4, &first_line));
    cr_assert_eq(first_line, 0);
    chunk_release(task->chunk, 1);
    job_destroy(&job);
}

Test(job, takes_the_longest_id)
{
    char id[TASK_ID_MOST_BYTES + 2];
    uint32_t first_line;
    memset(id, 'x', sizeof id);
    struct job *job = job_create(&pool, "a", "f", JOB_CHECKED);
    struct task *task = job_add_task(job, id, TASK_ID_MOST_BYTES, &first_line);
    cr_assert_eq(strlen(task->id), TASK_ID_MOST_BYTES);
    job_destroy(&job);
}

Test(job, hands_its_tasks_on_in_order_whatever_the_step)
{
    static const size_t steps[] = {1, 7, 255, 256, 257, 1024};
    static const uint32_t counts[] = {0, 1, 255, 256, 257, 512, 1000};
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            struct job *job = filled_job(JOB_CHECKED, counts[c]);
            job_seal(job);
            cr_assert_eq(take_and_end_all(job, steps[s]), counts[c], "%u by %zu", counts[c],
                         steps[s]);
            job_destroy(&job);
        }
}

Test(job, a_task_that_was_taken_back_is_not_handed_on)
{
    static const uint32_t counts[] = {1, 2, 256, 257, 512, 513};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct job *job = filled_job(JOB_CHECKED, counts[c]);
        job_take_back_task(job);
        cr_assert_eq(job->tasks_count, counts[c] - 1);
        job_seal(job);
        cr_assert_eq(take_and_end_all(job, 100), counts[c] - 1, "%u", counts[c]);
        job_destroy(&job);
    }
}

Test(job, after_a_task_was_taken_back_its_id_and_number_are_free)
{
    struct job *job = filled_job(JOB_CHECKED, 257);
    for (int again = 0; again < 3; again++) {
        job_take_back_task(job);
        struct task *task = add_numbered(job, 256);
        cr_assert_not_null(task);
        cr_assert_eq(task->number, 256);
    }
    cr_assert_not_null(add_numbered(job, 257));
    job_seal(job);
    cr_assert_eq(take_and_end_all(job, 1024), 258);
    job_destroy(&job);
}

Test(job, a_streamed_task_that_was_first_in_its_chunk_can_be_taken_back)
{
    struct job *job = filled_job(JOB_STREAMED, 1);
    job_take_back_task(job);
    job_seal(job);
    job_destroy(&job);
    cr_assert_eq(pool.spare_count, 1);
}

Test(job, that_was_cleared_is_as_new)
{
    static const uint32_t counts[] = {0, 1, 256, 257};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct job *job = filled_job(JOB_CHECKED, counts[c]);
        job_clear(job);
        cr_assert_eq(job->tasks_count, 0);
        for (uint32_t i = 0; i < 300; i++)
            cr_assert_not_null(add_numbered(job, i));
        job_seal(job);
        cr_assert_eq(take_and_end_all(job, 64), 300);
        job_destroy(&job);
    }
}

Test(job, that_was_cleared_after_its_only_task_was_taken_back_is_as_new)
{
    struct job *job = filled_job(JOB_CHECKED, 257);
    job_take_back_task(job);
    job_clear(job);
    cr_assert_not_null(add_numbered(job, 0));
    job_seal(job);
    cr_assert_eq(take_and_end_all(job, 64), 1);
    job_destroy(&job);
}

Test(job, that_was_never_submitted_frees_its_tasks)
{
    struct job *job = filled_job(JOB_CHECKED, 1000);
    job_destroy(&job);
    cr_assert_eq(pool.spare_count, 4);
}

Test(job, its_memory_lives_as_long_as_its_task)
{
    struct job *job = filled_job(JOB_CHECKED, 1);
    char *kept = job_alloc(job, 6, 1);
    memcpy(kept, "value", 6);
    for (uint32_t i = 1; i < 2000; i++)
        cr_assert_not_null(add_numbered(job, i));
    cr_assert_str_eq(kept, "value");
    job_destroy(&job);
}

Test(job, begins_with_nothing_counted)
{
    struct job *job = job_create(&pool, "a", "f", JOB_CHECKED);
    for (int state = 0; state < TASK_STATE_COUNT; state++)
        cr_assert_eq(job->ended[state], 0);
    cr_assert_eq(job->submitted, 0);
    cr_assert_eq(job->stop, JOB_GOES_ON);
    cr_assert_eq(job->weight_in_use, 0);
    job_destroy(&job);
}

Test(job, is_not_over_while_its_reader_is_at_work)
{
    struct job *job = job_create(&pool, "a", "f", JOB_CHECKED);
    job_count_submitted(job, 2);
    cr_assert_not(job_count_ended(job, TASK_SUCCEEDED, 2));
    job_count_submitted(job, 1);
    cr_assert_not(job_count_ended(job, TASK_ACCEPTED, 1));
    cr_assert(job_count_ended(job, TASK_FAILED, 1));
    cr_assert_eq(job->submitted, 3);
    cr_assert_eq(job->ended[TASK_SUCCEEDED], 2);
    cr_assert_eq(job->ended[TASK_FAILED], 1);
    cr_assert_eq(job->ended[TASK_ACCEPTED], 0);
    job_destroy(&job);
}

Test(job, an_end_more_than_was_submitted_is_a_bug, .signal = SIGABRT)
{
    struct job *job = job_create(&pool, "a", "f", JOB_CHECKED);
    job_count_ended(job, TASK_SUCCEEDED, 2);
}

enum { ENDERS = 4, ENDS = 20000 };

struct ender {
    struct thread thread;
    struct job *job;
    int overs;
};

static void end_many(void *argument)
{
    struct ender *ender = argument;
    for (int i = 0; i < ENDS; i++)
        ender->overs += job_count_ended(ender->job, TASK_SUCCEEDED, 1);
}

Test(job, is_said_to_be_over_exactly_once_whoever_ends_the_last_task)
{
    for (int round = 0; round < 5; round++) {
        struct ender enders[ENDERS];
        struct job *job = job_create(&pool, "a", "f", JOB_CHECKED);
        int overs = 0;
        job_count_submitted(job, ENDERS * ENDS);
        for (int i = 0; i < ENDERS; i++) {
            enders[i] = (struct ender){.job = job};
            cr_assert(thread_start(&enders[i].thread, "ender", end_many, &enders[i], NULL));
        }
        overs += job_count_ended(job, TASK_ACCEPTED, 1);
        for (int i = 0; i < ENDERS; i++) {
            thread_join(&enders[i].thread);
            overs += enders[i].overs;
        }
        cr_assert_eq(overs, 1);
        cr_assert_eq(job->ended[TASK_SUCCEEDED], ENDERS * ENDS);
        job_destroy(&job);
    }
}

Test(job, that_keeps_its_tasks_finds_them_by_id_after_they_have_ended)
{
    struct job *job = job_create(&pool, "a", "a.yaml", JOB_CHECKED);
    uint32_t number;
    job_set_keep(job, JOB_KEEPS_ALL);
    for (uint32_t i = 0; i < 1000; i++)
        cr_assert_not_null(add_numbered(job, i));
    job_seal(job);
    cr_assert_eq(take_and_end_all(job, 100), 1000);
    cr_assert(job_find_task(job, "t-700", 5, &number));
    cr_assert_eq(number, 700);
    cr_assert_str_eq(job_task(job, number)->id, "t-700");
    cr_assert_not(job_find_task(job, "t-1000", 6, &number));
    job_destroy(&job);
}

Test(job, that_keeps_its_only_task_takes_little_memory)
{
    struct job *job = job_create_one(&pool, "a", "a.yaml");
    uint32_t number;
    cr_assert_not_null(add_numbered(job, 0));
    cr_assert(chunk_is_full(job->open));
    job_seal(job);
    cr_assert_eq(take_and_end_all(job, 10), 1);
    cr_assert(job_find_task(job, "t-0", 3, &number));
    cr_assert_eq(pool.spare_count, 0);
    job_destroy(&job);
    cr_assert_eq(pool.spare_count, 0, "it is not one of 256 tasks");
}

Test(job, of_one_task_gets_the_memory_of_one_that_is_gone_and_nothing_else_of_it)
{
    struct job *job =
        job_create_one(&pool, "a name that is too long to stand in the job", "a.yaml");
    uint32_t number;
    cr_assert_not_null(add_numbered(job, 0));
    job_seal(job);
    cr_assert_eq(take_and_end_all(job, 10), 1);
    const struct job *before = job;
    job_destroy(&job);
    job = job_create_one(&pool, NULL, "b.yaml");
    cr_assert_eq(job, before);
    cr_assert_str_eq(job->name, "b");
    cr_assert_str_eq(job->file, "b.yaml");
    cr_assert_not(job_find_task(job, "t-0", 3, &number));
    job_set_name(job, "another name that is too long to stand in the job");
    job_set_name(job, "short");
    cr_assert_str_eq(job->name, "short");
    cr_assert_not_null(add_numbered(job, 0));
    job_clear(job); /* read a second time */
    cr_assert_not_null(add_numbered(job, 1));
    cr_assert(job_find_task(job, "t-1", 3, &number));
    cr_assert_not(job_find_task(job, "t-0", 3, &number));
    job_destroy(&job);
}

Test(job, is_held_until_everybody_has_let_go)
{
    struct job *job = job_create(&pool, "a", "a.yaml", JOB_CHECKED);
    cr_assert_not(job_is_held(job));
    job_hold(job);
    job_hold(job);
    job_let_go(job);
    cr_assert(job_is_held(job));
    job_let_go(job);
    cr_assert_not(job_is_held(job));
    job_destroy(&job);
}

Test(job, does_not_start_a_task_that_was_cancelled)
{
    struct job *job = filled_job(JOB_CHECKED, 2);
    atomic_store(&job_task(job, 1)->cancelled, true);
    cr_assert_not(job_stops(job_task(job, 0)));
    cr_assert(job_stops(job_task(job, 1)));
    job_destroy(&job);
}
