#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "accept/job_file/surrogate.h"

/* Sends a text through surrogate_join as the last piece. */
static size_t joined(char *text)
{
    size_t pairs = 0;
    cr_assert(eq(sz, surrogate_join(text, strlen(text), true, &pairs), strlen(text)));
    return pairs;
}

Test(surrogate, a_pair_becomes_one_escape_of_the_same_length)
{
    char text[] = "\"a \\ud83d\\ude00 b\"";
    size_t length = strlen(text);
    cr_assert(eq(sz, joined(text), 1));
    cr_assert(eq(sz, strlen(text), length));
    cr_assert(eq(str, text, "\"a \\U0001f600\\v b\""));
}

Test(surrogate, what_is_no_pair_stays)
{
    static const char *const texts[] = {
        "\\ud83d",         "\\ude00\\ud83d", "\\ud83d \\ude00", "\\\\ud83d\\ude00",
        "\\ud83dx\\ude00", "\\ud83g\\ude00", "\\u0041\\u0042",  "\\",
        "\\ud83d\\ud83d"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[64];
        memccpy(text, texts[i], 0, sizeof text);
        cr_assert(eq(sz, joined(text), 0), "%s", texts[i]);
        cr_assert(eq(str, text, (char *)texts[i]));
    }
}

Test(surrogate, what_may_be_the_beginning_of_a_pair_is_held_back)
{
    char text[] = "abc\\ud83d\\ude0";
    size_t pairs = 0;
    cr_assert(eq(sz, surrogate_join(text, strlen(text), false, &pairs), 3));
    cr_assert(eq(sz, surrogate_join(text, strlen(text), true, &pairs), strlen(text)));
    cr_assert(eq(sz, pairs, 0));
}

Test(surrogate, a_text_that_is_not_double_quoted_is_restored_as_it_was_written)
{
    static const char *const texts[] = {"\\ud83d\\ude00", "\\uD83D\\uDE00", "x\\uDBFF\\uDFFFy",
                                        "\\ud800\\udc00\\ud83d\\ude00"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[64];
        memccpy(text, texts[i], 0, sizeof text);
        cr_assert(gt(sz, joined(text), 0));
        cr_assert(eq(sz, surrogate_restore(text, strlen(text), false), strlen(texts[i])));
        cr_assert(eq(str, text, (char *)texts[i]));
    }
}

Test(surrogate, the_filler_goes_from_a_text_that_was_read)
{
    char text[] = "\xf0\x9f\x98\x80\v and \v stays";
    size_t length = surrogate_restore(text, strlen(text), true);
    cr_assert(eq(sz, length, strlen("\xf0\x9f\x98\x80 and \v stays")));
    cr_assert(eq(str, text, "\xf0\x9f\x98\x80 and \v stays"));
}
