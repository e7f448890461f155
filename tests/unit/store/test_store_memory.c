#include <criterion/criterion.h>
#include <stdlib.h>

#include "conformance.h"
#include "stage.h"

#define CASE(name)                                                                                 \
    Test(store_memory, name)                                                                       \
    {                                                                                              \
        conformance_##name("memory");                                                              \
    }
#include "conformance.def"
#undef CASE

Test(store_memory, an_unknown_backend_is_named)
{
    struct error error;
    struct store_options options = {.place = NULL};
    cr_assert_null(store_open("sqlight", &options, &error));
    cr_assert_str_eq(error.message, "there is no store backend 'sqlight'");
}

Test(store_memory, describes_nothing_unless_somebody_asks)
{
    stage_open("memory", 0, 0);
    cr_assert(store_borrows(stage));
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1000);
    stage_delayed(job, "noop", 5000);
    stage_retry(job, 0, 1, true, 0);
    stage_end_as(job, 1, STORE_SUCCEEDED);
    stage_end_as(job, 2, STORE_FAILED);
    cr_assert_eq(stage_described, 0);
    stage_visit((struct store_query){.limit = 1});
    cr_assert_eq(stage_described, 1);
    stage_close();
}

Test(store_memory, closing_frees_what_is_unfinished_and_kept)
{
    stage_open("memory", 10, 10);
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", "sh", 10);
    stage_delayed(job, "noop", 5000);
    stage_end_as(job, 1, STORE_SUCCEEDED);
    stage_end_as(job, 2, STORE_FAILED);
    stage_retry(job, 3, 1, true, 9000);
    char holder[STORE_HOLDER_BYTES];
    cr_assert(store_claim(stage, "key", "A:1", holder, NULL));
    stage_close(); /* the address sanitizer sees what is left */
}

static size_t extra_bytes;

static void describe_dead(const void *handle, struct buffer *extra)
{
    (void)handle;
    for (size_t i = 0; i < extra_bytes; i++)
        buffer_append(extra, &(char){(char)('a' + i % 26)}, 1);
}

static void expect_extra(void)
{
    const char *extra = stage_last.task.given.extra;
    cr_assert_eq(stage_last.task.given.extra_bytes, extra_bytes);
    cr_assert_eq(extra == NULL, extra_bytes == 0);
    for (size_t i = 0; i < extra_bytes; i++)
        cr_assert_eq(extra[i], (char)('a' + i % 26));
}

/* Of a few bytes, which stand in the record itself, up to some for which that has no room. */
Test(store_memory, a_dead_letter_keeps_what_it_is_tried_again_with_however_often_it_dies)
{
    stage_open_with("memory",
                    (struct store_options){.dead_max = 100, .describe_dead = describe_dead});
    for (extra_bytes = 0; extra_bytes < 80; extra_bytes++) {
        uint64_t job = stage_job("A");
        stage_tasks(job, "noop", NULL, 1);
        stage_seal(job);
        stage_end_as(job, 0, STORE_FAILED);
        for (uint32_t attempt = 2; attempt <= 3; attempt++) {
            stage_requeue((struct store_query){.job = job});
            expect_extra();
            struct store_end end = stage_end_of(job, 0, STORE_TIMED_OUT);
            end.name.attempt = attempt;
            cr_assert_eq(stage_end(end), STORE_DONE);
            stage_visit((struct store_query){.states = STORE_DEAD_SET, .job = job});
            expect_extra();
        }
        cr_assert_str_eq(stage_last.params, "params of 0");
        cr_assert_str_eq(stage_last.id, "noop-0");
        cr_assert(store_forget_job(stage, job, NULL));
    }
    stage_close();
}

Test(store_memory, what_did_not_fail_keeps_nothing_to_be_tried_again_with)
{
    stage_open_with("memory",
                    (struct store_options){.finished_max = 10, .describe_dead = describe_dead});
    extra_bytes = 5;
    uint64_t job = stage_job("A");
    stage_tasks(job, "noop", NULL, 1);
    stage_end_as(job, 0, STORE_SUCCEEDED);
    stage_visit((struct store_query){.states = STORE_SET(STORE_SUCCEEDED)});
    cr_assert_eq(stage_last.task.given.extra_bytes, 0);
    stage_close();
}
