#include <criterion/criterion.h>
#include <locale.h>
#include <string.h>

#include "support/clock.h"
#include "support/units.h"

static int64_t duration(const char *text)
{
    int64_t ns;
    return units_parse_duration(text, strlen(text), &ns) ? ns : -1;
}

static int64_t size(const char *text)
{
    uint64_t bytes;
    return units_parse_size(text, strlen(text), &bytes) ? (int64_t)bytes : -1;
}

static bool integer(const char *text, int64_t *number)
{
    return units_parse_int(text, strlen(text), number);
}

static bool real(const char *text, double *number)
{
    return units_parse_float(text, strlen(text), number);
}

Test(units, reads_durations_as_people_write_them)
{
    cr_assert_eq(duration("0"), 0);
    cr_assert_eq(duration("100ns"), 100);
    cr_assert_eq(duration("10us"), 10 * NS_PER_US);
    cr_assert_eq(duration("250ms"), 250 * NS_PER_MS);
    cr_assert_eq(duration("1.5s"), 1500 * NS_PER_MS);
    cr_assert_eq(duration("5m"), 300 * NS_PER_S);
    cr_assert_eq(duration("1h30m"), 5400 * NS_PER_S);
    cr_assert_eq(duration("0.125h"), 450 * NS_PER_S);
    cr_assert_eq(duration("7d"), 7 * 86400 * NS_PER_S);
}

Test(units, refuses_what_is_no_duration)
{
    static const char *const wrong[] = {
        "",        "5",     "s",   "-1s",  "1 s",
        "1s ",     "1.s",   ".5s", "1x",   "30m1h",
        "1s1s",    "0.5ns", "1S",  "300y", "9223372036854775808ns",
        "106752d", "1h30",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_assert_eq(duration(wrong[i]), -1, "'%s'", wrong[i]);
    cr_assert_eq(duration("9223372036854775807ns"), INT64_MAX);
}

Test(units, reads_only_as_many_bytes_as_it_is_given)
{
    int64_t ns, number;
    cr_assert(units_parse_duration("30sxx", 3, &ns));
    cr_assert_eq(ns, 30 * NS_PER_S);
    cr_assert(units_parse_int("12345", 2, &number));
    cr_assert_eq(number, 12);
}

Test(units, reads_sizes_as_people_write_them)
{
    cr_assert_eq(size("512"), 512);
    cr_assert_eq(size("512B"), 512);
    cr_assert_eq(size("64KiB"), 65536);
    cr_assert_eq(size("10MB"), 10000000);
    cr_assert_eq(size("1GiB"), 1 << 30);
    cr_assert_eq(size("8388607TiB"), INT64_C(8388607) << 40);
}

Test(units, refuses_what_is_no_size)
{
    static const char *const wrong[] = {
        "", "KiB", "-1", "1.5GiB", "10mb", "10 MB", "8388608TiB", "9223372036854775808", "1KiBs",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_assert_eq(size(wrong[i]), -1, "'%s'", wrong[i]);
}

Test(units, reads_integers_to_both_ends_of_their_range)
{
    int64_t number;
    cr_assert(integer("-9223372036854775808", &number) && number == INT64_MIN);
    cr_assert(integer("+9223372036854775807", &number) && number == INT64_MAX);
    cr_assert(integer("0x7fFFffffFFFFffff", &number) && number == INT64_MAX);
    cr_assert(integer("-0x10", &number) && number == -16);
    cr_assert(integer("007", &number) && number == 7);
}

Test(units, tells_an_integer_that_is_too_large_from_what_is_none)
{
    int64_t number;
    static const char *const large[] = {"9223372036854775808", "-9223372036854775809",
                                        "+0xffffffffffffffff"};
    for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
        cr_assert(!integer(large[i], &number), "'%s'", large[i]);
        cr_assert(units_is_int(large[i], strlen(large[i])), "'%s'", large[i]);
    }
    cr_assert(!units_is_int("99999999999999999999s", 21));
    cr_assert(!units_is_int("0x", 2));
    cr_assert(!units_is_int("-", 1));
    cr_assert(units_is_int("7", 1));
}

Test(units, refuses_what_is_no_integer)
{
    static const char *const wrong[] = {
        "",
        "-",
        "+-1",
        "0x",
        "0xg",
        "1.0",
        "1e3",
        " 1",
        "1 ",
        "9223372036854775808",
        "abc",
        "-9223372036854775809",
        "0x8000000000000000",
        "0b1",
        "0o7",
        "1_000",
    };
    int64_t number;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_assert_not(integer(wrong[i], &number), "'%s'", wrong[i]);
}

Test(units, reads_numbers_whatever_the_locale)
{
    double number;
    setlocale(LC_ALL, "de_DE.UTF-8");
    cr_assert(real("-1.25e2", &number) && number == -125.0);
    cr_assert(real(".5", &number) && number == 0.5);
    cr_assert(real("3.", &number) && number == 3.0);
    cr_assert(real("7", &number) && number == 7.0);
}

Test(units, refuses_what_is_no_finite_number)
{
    static const char *const wrong[] = {"",      ".",     "-",  "1e", "1,5",   "nan", "inf",
                                        "1e999", "0x1p3", " 1", "1 ", "1.2.3", "e5"};
    double number;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_assert_not(real(wrong[i], &number), "'%s'", wrong[i]);
}

Test(units, writes_what_it_reads_in_the_shortest_form)
{
    static const char *const durations[] = {"0", "1ns", "250ms", "1h30m", "7d", "1s500ms"};
    static const char *const sizes[] = {"0B", "513B", "64KiB", "10MB", "1TiB", "1kB", "999B"};
    char text[64];
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
        cr_assert_str_eq(units_format_duration(duration(durations[i]), text, sizeof(text)),
                         durations[i]);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        cr_assert_str_eq(units_format_size((uint64_t)size(sizes[i]), text, sizeof(text)), sizes[i]);
}

static int64_t moment(const char *text)
{
    int64_t ns;
    return units_parse_time(text, strlen(text), &ns) ? ns : -1;
}

Test(units, reads_times_in_utc)
{
    cr_assert_eq(moment("1970-01-01T00:00:00Z"), 0);
    cr_assert_eq(moment("1970-01-02T00:00:01.5Z"), 86401 * NS_PER_S + 500 * NS_PER_MS);
    cr_assert_eq(moment("2026-12-01T06:00:00Z"), 1796104800 * NS_PER_S);
    cr_assert_eq(moment("2028-02-29T23:59:59.000000001Z"), 1835481599 * NS_PER_S + 1);
    cr_assert_gt(moment("2261-12-31T23:59:59.999999999Z"), 0);
}

Test(units, refuses_what_is_no_time_in_utc)
{
    static const char *const wrong[] = {
        "",
        "now",
        "2026-12-01",
        "2026-12-01T06:00:00",
        "2026-12-01 06:00:00Z",
        "2026-12-01t06:00:00z",
        "2026-12-01T06:00:00+00:00",
        "2026-12-01T06:00Z",
        "2026-12-01T06:00:00Z ",
        "2026-12-01T06:00:00.Z",
        "2026-12-01T06:00:00.1234567890Z",
        "2026-13-01T06:00:00Z",
        "2026-00-01T06:00:00Z",
        "2026-04-31T06:00:00Z",
        "2026-02-29T06:00:00Z",
        "2100-02-29T06:00:00Z",
        "2026-12-00T06:00:00Z",
        "2026-12-01T24:00:00Z",
        "2026-12-01T06:60:00Z",
        "2026-12-01T06:00:60Z",
        "1969-12-31T23:59:59Z",
        "2262-01-01T00:00:00Z",
        "20261-1-01T06:00:00Z",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_eq(moment(wrong[i]), -1, "%s", wrong[i]);
}
