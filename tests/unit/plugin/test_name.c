#include <criterion/criterion.h>
#include <string.h>

#include "plugin/name.h"
#include "sluice/plugin.h"

Test(name, a_type_is_lower_case_with_dots_dashes_and_underscores)
{
    cr_assert(name_is_type("a"));
    cr_assert(name_is_type("http.request-2_x"));
    cr_assert_not(name_is_type(""));
    cr_assert_not(name_is_type("Http"));
    cr_assert_not(name_is_type("2http"));
    cr_assert_not(name_is_type(".http"));
    cr_assert_not(name_is_type("http request"));
    cr_assert_not(name_is_type("h\xc3\xb6" "flich"));
}

Test(name, a_parameter_is_a_c_identifier)
{
    cr_assert(name_is_param("for"));
    cr_assert(name_is_param("_A9"));
    cr_assert_not(name_is_param("a-b"));
    cr_assert_not(name_is_param("9a"));
}

Test(name, a_name_has_at_most_64_bytes)
{
    char name[SLUICE_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    name[SLUICE_NAME_MAX] = '\0';
    cr_assert(name_is_type(name));
    name[SLUICE_NAME_MAX] = 'a';
    name[SLUICE_NAME_MAX + 1] = '\0';
    cr_assert_not(name_is_type(name));
    cr_assert_not(name_is_version(name));
    cr_assert_not(name_is_code(name));
}

Test(name, a_version_is_printable_and_has_no_space)
{
    cr_assert(name_is_version("1.0.0-rc1+git"));
    cr_assert_not(name_is_version(""));
    cr_assert_not(name_is_version("1 0"));
    cr_assert_not(name_is_version("1\n"));
    cr_assert_not(name_is_version("\xc3\xa9"));
}
