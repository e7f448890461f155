#include <criterion/criterion.h>
#include <string.h>

#include "support/buffer.h"
#include "support/cleanup.h"

Test(buffer, an_empty_one_is_an_empty_string)
{
    CLEANUP(buffer_fini) struct buffer buffer = BUFFER_EMPTY;
    cr_assert_str_eq(buffer_text(&buffer), "");
    cr_assert_eq(buffer.length, 0);
}

Test(buffer, grows_by_every_way_of_adding)
{
    CLEANUP(buffer_fini) struct buffer buffer = BUFFER_EMPTY;
    buffer_puts(&buffer, "a=");
    buffer_printf(&buffer, "%d", 12);
    buffer_append(&buffer, "\0b", 2);
    cr_assert_eq(buffer.length, 6);
    cr_assert_arr_eq(buffer_text(&buffer), "a=12\0b", 7);
}

Test(buffer, a_reservation_leaves_the_length_to_the_caller)
{
    CLEANUP(buffer_fini) struct buffer buffer = BUFFER_EMPTY;
    memcpy(buffer_reserve(&buffer, 1000), "abc", 3);
    cr_assert_eq(buffer.length, 0);
    buffer.length = 3;
    cr_assert_str_eq(buffer_text(&buffer), "abc");
}

Test(buffer, holds_much_more_than_it_began_with)
{
    CLEANUP(buffer_fini) struct buffer buffer = BUFFER_EMPTY;
    for (int i = 0; i < 10000; i++)
        buffer_printf(&buffer, "%04d", i);
    cr_assert_eq(buffer.length, 40000);
    cr_assert_str_eq(buffer_text(&buffer) + 39996, "9999");
}

Test(buffer, may_be_used_again_after_its_end)
{
    struct buffer buffer = BUFFER_EMPTY;
    buffer_puts(&buffer, "first");
    buffer_fini(&buffer);
    buffer_puts(&buffer, "second");
    cr_assert_str_eq(buffer_text(&buffer), "second");
    buffer_fini(&buffer);
}
