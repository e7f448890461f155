#include <criterion/criterion.h>
#include <string.h>

#include "support/suggest.h"

static const char *nearest(const char *wanted, const char *const *candidates)
{
    struct suggest suggest;
    suggest_begin(&suggest, wanted, strlen(wanted));
    for (; *candidates != NULL; candidates++)
        suggest_offer(&suggest, *candidates);
    return suggest.best;
}

#define NEAREST(wanted, ...) nearest(wanted, (const char *const[]){__VA_ARGS__, NULL})

Test(suggest, finds_a_word_with_one_letter_wrong)
{
    cr_assert_str_eq(NEAREST("ur1", "method", "url", "body"), "url");
}

Test(suggest, counts_swapped_neighbours_as_one_edit)
{
    cr_assert_str_eq(NEAREST("tpye", "tape", "type"), "type");
}

Test(suggest, prefers_the_nearest_and_then_the_first)
{
    cr_assert_str_eq(NEAREST("timeouts", "timers", "timeout", "timeoutz"), "timeout");
}

Test(suggest, stays_silent_when_nothing_is_near)
{
    cr_assert_null(NEAREST("weight", "params", "labels", "id"));
    cr_assert_null(NEAREST("a", "b"));
    cr_assert_null(NEAREST("", "b"));
}

Test(suggest, does_not_count_the_case)
{
    cr_assert_str_eq(NEAREST("URL", "uri", "url"), "url");
}

Test(suggest, leaves_very_long_words_alone)
{
    char wanted[100], candidate[100];
    memset(wanted, 'x', 99);
    memset(candidate, 'x', 99);
    wanted[99] = candidate[99] = '\0';
    cr_assert_null(NEAREST(wanted, candidate));
}
