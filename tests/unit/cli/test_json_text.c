/* Texts of plugins as JSON. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "serve/json_text.h"

static void expect(const char *bytes, size_t length, const char *text)
{
    json_t *json = json_text(bytes, length);

    cr_assert(json != NULL);
    cr_expect(eq(str, (char *)json_string_value(json), (char *)text));
    json_decref(json);
}

Test(json_text, text_stays_as_it_is)
{
    expect("a\nb \xc3\xa9", 6, "a\nb \xc3\xa9");
    expect("", 0, "");
}

Test(json_text, each_byte_that_is_not_utf8_is_replaced)
{
    expect("a\xff\xfe" "b", 4, "a\xef\xbf\xbd\xef\xbf\xbd" "b");
    expect("\xc3", 1, "\xef\xbf\xbd");
    expect("\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

Test(json_text, nothing_is_null)
{
    json_t *json = json_text_or_null(NULL);

    cr_expect(eq(int, json_typeof(json), JSON_NULL));
    json_decref(json);
}
