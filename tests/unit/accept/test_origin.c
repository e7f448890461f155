#include "accept/origin.h"

#include <criterion/criterion.h>

Test(origin, says_which_jobs_came_together_and_with_what_note)
{
    struct origin origin;
    cr_assert(origin_read("01ARZ3NDEKTSV4RRFFQ69G5FAV 3 * a note of words", &origin));
    cr_assert_str_eq(origin.first, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    cr_assert_eq(origin.documents, 3);
    cr_assert_str_eq(origin.task, "");
    cr_assert_str_eq(origin.note, "a note of words");
}

Test(origin, names_the_task_of_a_submission_of_one_which_may_be_called_as_nothing_is)
{
    struct origin origin;
    cr_assert(origin_read("01ARZ3NDEKTSV4RRFFQ69G5FAV 1 - -", &origin));
    cr_assert_str_eq(origin.task, "-");
    cr_assert_null(origin.note);
}

Test(origin, is_nothing_where_nothing_was_said)
{
    struct origin origin;
    cr_assert_not(origin_read(NULL, &origin));
    cr_assert_not(origin_read("", &origin));
    cr_assert_not(origin_read("01ARZ3NDEKTSV4RRFFQ69G5FAV", &origin));
    cr_assert_not(origin_read("01ARZ3NDEKTSV4RRFFQ69G5FAV many * -", &origin));
}
