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
