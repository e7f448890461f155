#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "support/error.h"

Test(error, set_fills_code_and_message_and_answers_false)
{
    struct error error;
    cr_assert_not(error_set(&error, "not_found", "no task '%s'", "a"));
    cr_assert_str_eq(error.code, "not_found");
    cr_assert_str_eq(error.message, "no task 'a'");
}

Test(error, set_accepts_that_nobody_wants_to_know)
{
    cr_assert_not(error_set(NULL, "not_found", "nothing"));
    cr_assert_not(error_errno(NULL, "not_found", "nothing"));
}

Test(error, errno_is_named_behind_the_message)
{
    struct error error;
    errno = ENOENT;
    error_errno(&error, "open", "cannot open '%s'", "x.yaml");
    cr_assert_str_eq(error.message, "cannot open 'x.yaml': No such file or directory");
}

Test(error, a_message_that_is_too_long_ends_with_dots)
{
    struct error error;
    char text[2 * ERROR_MESSAGE_BYTES];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&error, "long", "%s", text);
    cr_assert_eq(strlen(error.message), ERROR_MESSAGE_BYTES - 1);
    cr_assert_str_eq(error.message + ERROR_MESSAGE_BYTES - 4, "...");

    text[ERROR_MESSAGE_BYTES - 10] = '\0'; /* room for the message, not for errno's text */
    errno = ENOENT;
    error_errno(&error, "long", "%s", text);
    cr_assert_eq(strlen(error.message), ERROR_MESSAGE_BYTES - 1);
    cr_assert_str_eq(error.message + ERROR_MESSAGE_BYTES - 4, "...");
}

Test(error, a_message_stays_one_line_and_cannot_steer_a_terminal)
{
    struct error error;
    error_set(&error, "odd", "%s", "a\nb\033[31mc");
    cr_assert_str_eq(error.message, "a b [31mc");
}
