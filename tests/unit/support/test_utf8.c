#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/utf8.h"

static size_t read_all(const char *text, uint32_t *character)
{
    return utf8_read(text, strlen(text), character);
}

Test(utf8, reads_characters_of_one_to_four_bytes)
{
    uint32_t c;
    cr_assert(read_all("a", &c) == 1 && c == 'a');
    cr_assert(read_all("\xc3\xa4", &c) == 2 && c == 0xe4);
    cr_assert(read_all("\xe2\x82\xac", &c) == 3 && c == 0x20ac);
    cr_assert(read_all("\xf0\x9f\x98\x80", &c) == 4 && c == 0x1f600);
}

Test(utf8, refuses_what_is_cut_overlong_or_no_character)
{
    static const char *const wrong[] = {
        "\x80",
        "\xc3",
        "\xc3(",
        "\xc0\xaf",
        "\xe0\x80\xaf",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xff",
    };
    uint32_t c;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_assert_eq(read_all(wrong[i], &c), 0, "number %zu", i);
}

Test(utf8, a_clean_copy_holds_nothing_that_steers_a_terminal)
{
    const char dirty[] = "a\tb\033[2Jc\xff\xc2\x9b\xe2\x80\xae\xc3\xa4\0e";
    char *clean = utf8_clean(dirty, sizeof(dirty) - 1);
    cr_assert_str_eq(clean, "a\tb?[2Jc???\xc3\xa4?e");
    free(clean);
}
