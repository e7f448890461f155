#include <criterion/criterion.h>
#include <string.h>

#include "support/words.h"

static char bytes[64];
static struct words words;

static void setup(void)
{
    memset(bytes, 0, sizeof bytes);
    words = (struct words){.bytes = bytes, .capacity = sizeof bytes - 1};
}

TestSuite(words, .init = setup);

Test(words, texts_and_numbers_follow_each_other)
{
    words_put(&words, "task ");
    words_put_number(&words, -42);
    words_put(&words, " at ");
    words_put_hex(&words, 0xbeef);
    words_put_bytes(&words, (const uint8_t[]){0x00, 0xa1}, 2);
    cr_expect_str_eq(bytes, "task -42 at 0xbeef00a1");
    cr_expect_eq(words.length, strlen(bytes));
}

Test(words, the_smallest_and_the_largest_number_have_all_their_digits)
{
    words_put_number(&words, INT64_MIN);
    words_put_hex(&words, UINT64_MAX);
    words_put_number(&words, 0);
    cr_expect_str_eq(bytes, "-92233720368547758080xffffffffffffffff0");
}

Test(words, what_does_not_fit_is_left_out)
{
    words.capacity = 6;
    words_put(&words, "four");
    words_put_number(&words, 12345);
    words_put(&words, "more");
    cr_expect_str_eq(bytes, "four12");
}

Test(words, a_text_without_an_end_is_cut)
{
    words_put_cut(&words, (const char[]){'a', 'b', 'c'}, 3);
    words_put_masked(&words, (const char[]){'\033', '\xff', 'd', '\0', 'e'}, 5);
    cr_expect_str_eq(bytes, "abc??d");
}
