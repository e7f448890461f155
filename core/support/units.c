#include "support/units.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/clock.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: the parts of a duration come in this order. */
static const struct unit duration_units[] = {
    {"d", 86400 * NS_PER_S},
    {"h", 3600 * NS_PER_S},
    {"m", 60 * NS_PER_S},
    {"s", NS_PER_S},
    {"ms", NS_PER_MS},
    {"us", NS_PER_US},
    {"ns", 1},
};
enum { DURATION_UNIT_COUNT = sizeof(duration_units) / sizeof(duration_units[0]) };

/* Of two spellings of a unit the first is the one that is written. */
static const struct unit size_units[] = {
    {"B", 1},
    {"KiB", INT64_C(1) << 10},
    {"MiB", INT64_C(1) << 20},
    {"GiB", INT64_C(1) << 30},
    {"TiB", INT64_C(1) << 40},
    {"kB", 1000},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
};
enum { SIZE_UNIT_COUNT = sizeof(size_units) / sizeof(size_units[0]) };

struct cursor {
    const char *at;
    const char *end;
};

static bool at_digit(const struct cursor *cursor)
{
    return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

static bool take_char(struct cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != wanted)
        return false;
    cursor->at++;
    return true;
}

/* Takes decimal digits, at least one; false if there is none or they are over 2^63-1. */
static bool take_digits(struct cursor *cursor, int64_t *number)
{
    if (!at_digit(cursor))
        return false;
    for (*number = 0; at_digit(cursor); cursor->at++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, *cursor->at - '0', number))
            return false;
    return true;
}

static size_t letters_length(const struct cursor *cursor)
{
    size_t length = 0;
    while (cursor->at + length < cursor->end &&
           ((cursor->at[length] | 0x20) >= 'a' && (cursor->at[length] | 0x20) <= 'z'))
        length++;
    return length;
}

/* Takes a unit; NULL if there is none of that name. */
static const struct unit *take_unit(struct cursor *cursor, const struct unit *units, size_t count)
{
    size_t length = letters_length(cursor);

    for (size_t i = 0; i < count; i++)
        if (strlen(units[i].name) == length && memcmp(units[i].name, cursor->at, length) == 0) {
            cursor->at += length;
            return &units[i];
        }
    return NULL;
}

/* Adds the digits of a fraction, each worth a tenth of the one before; false if one is not a whole
 * number of ns. */
static bool add_fraction(struct cursor fraction, int64_t factor, int64_t *sum)
{
    for (; fraction.at < fraction.end; fraction.at++) {
        int64_t digit = *fraction.at - '0';
        if (digit != 0 && factor % 10 != 0)
            return false;
        factor /= 10;
        if (__builtin_add_overflow(*sum, digit * factor, sum))
            return false;
    }
    return true;
}

/* Takes one part such as 1.5h and adds it; *unit is the last part's unit, which must be larger. */
static bool take_duration_part(struct cursor *cursor, const struct unit **unit, int64_t *sum)
{
    int64_t whole, part;
    struct cursor fraction = {0};

    if (!take_digits(cursor, &whole))
        return false;
    if (take_char(cursor, '.')) {
        fraction.at = cursor->at;
        while (at_digit(cursor))
            cursor->at++;
        fraction.end = cursor->at;
        if (fraction.at == fraction.end)
            return false;
    }
    const struct unit *found = take_unit(cursor, duration_units, DURATION_UNIT_COUNT);
    if (found == NULL || (*unit != NULL && found <= *unit))
        return false;
    *unit = found;
    return !__builtin_mul_overflow(whole, found->factor, &part) &&
           !__builtin_add_overflow(*sum, part, sum) && add_fraction(fraction, found->factor, sum);
}

bool units_parse_duration(const char *text, size_t length, int64_t *ns)
{
    struct cursor cursor = {text, text + length};
    const struct unit *unit = NULL;

    *ns = 0;
    if (length == 1 && text[0] == '0')
        return true;
    do {
        if (!take_duration_part(&cursor, &unit, ns))
            return false;
    } while (cursor.at < cursor.end);
    return true;
}

bool units_parse_size(const char *text, size_t length, uint64_t *bytes)
{
    struct cursor cursor = {text, text + length};
    const struct unit *unit = &size_units[0];
    int64_t number;

    if (!take_digits(&cursor, &number))
        return false;
    if (cursor.at < cursor.end)
        unit = take_unit(&cursor, size_units, SIZE_UNIT_COUNT);
    if (unit == NULL || cursor.at < cursor.end ||
        __builtin_mul_overflow(number, unit->factor, &number))
        return false;
    *bytes = (uint64_t)number;
    return true;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Takes the sign and what tells the base. */
static int take_base(struct cursor *cursor, bool *negative)
{
    *negative = take_char(cursor, '-');
    if (!*negative)
        take_char(cursor, '+');
    if (cursor->end - cursor->at <= 2 || cursor->at[0] != '0' || (cursor->at[1] | 0x20) != 'x')
        return 10;
    cursor->at += 2;
    return 16;
}

bool units_is_int(const char *text, size_t length)
{
    struct cursor cursor = {text, text + length};
    bool negative;
    int base = take_base(&cursor, &negative);

    if (cursor.at == cursor.end)
        return false;
    while (cursor.at < cursor.end && digit_value(*cursor.at) < base)
        cursor.at++;
    return cursor.at == cursor.end;
}

bool units_parse_int(const char *text, size_t length, int64_t *number)
{
    struct cursor cursor = {text, text + length};
    bool negative;
    int base = take_base(&cursor, &negative);

    if (cursor.at == cursor.end)
        return false;
    /* Summed up below zero, where there is one number more. */
    for (*number = 0; cursor.at < cursor.end; cursor.at++) {
        int digit = digit_value(*cursor.at);
        if (digit >= base || __builtin_mul_overflow(*number, base, number) ||
            __builtin_sub_overflow(*number, digit, number))
            return false;
    }
    return negative || !__builtin_sub_overflow(0, *number, number);
}

static size_t skip_digits(struct cursor *cursor)
{
    const char *begin = cursor->at;
    while (at_digit(cursor))
        cursor->at++;
    return (size_t)(cursor->at - begin);
}

static bool is_float(struct cursor cursor)
{
    if (!take_char(&cursor, '-'))
        take_char(&cursor, '+');
    size_t digits = skip_digits(&cursor);
    if (take_char(&cursor, '.'))
        digits += skip_digits(&cursor);
    if (digits == 0)
        return false;
    if (take_char(&cursor, 'e') || take_char(&cursor, 'E')) {
        if (!take_char(&cursor, '-'))
            take_char(&cursor, '+');
        if (skip_digits(&cursor) == 0)
            return false;
    }
    return cursor.at == cursor.end;
}

bool units_parse_float(const char *text, size_t length, double *number)
{
    char copy[512]; /* a double has 17 digits; more than a screen of them is no number */

    if (length >= sizeof(copy) || !is_float((struct cursor){text, text + length}))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    /* glibc answers for "C" with a constant: nothing is allocated. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    *number = strtod_l(copy, NULL, c_locale);
    freelocale(c_locale);
    return isfinite(*number);
}

const char *units_format_duration(int64_t ns, char *text, size_t capacity)
{
    size_t length = 0;

    snprintf(text, capacity, "0");
    for (size_t i = 0; i < DURATION_UNIT_COUNT && length < capacity; i++) {
        int64_t part = ns / duration_units[i].factor;
        if (part == 0)
            continue;
        ns %= duration_units[i].factor;
        int added = snprintf(text + length, capacity - length, "%lld%s", (long long)part,
                             duration_units[i].name);
        length += added > 0 ? (size_t)added : 0;
    }
    return text;
}

const char *units_format_size(uint64_t bytes, char *text, size_t capacity)
{
    char best[32], next[32];

    snprintf(best, sizeof(best), "%lluB", (unsigned long long)bytes);
    for (size_t i = 1; i < SIZE_UNIT_COUNT && bytes > 0; i++) {
        uint64_t factor = (uint64_t)size_units[i].factor;
        if (bytes % factor != 0)
            continue;
        snprintf(next, sizeof(next), "%llu%s", (unsigned long long)(bytes / factor),
                 size_units[i].name);
        if (strlen(next) < strlen(best))
            memcpy(best, next, sizeof(best));
    }
    snprintf(text, capacity, "%s", best);
    return text;
}

/* Reads exactly so many digits. */
static bool take_number(struct cursor *cursor, int count, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++) {
        if (!at_digit(cursor))
            return false;
        *number = *number * 10 + (*cursor->at++ - '0');
    }
    return true;
}

static bool take_day(struct cursor *cursor, struct tm *utc)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!take_number(cursor, 4, &year) || !take_char(cursor, '-') ||
        !take_number(cursor, 2, &month) || !take_char(cursor, '-') || !take_number(cursor, 2, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    utc->tm_year = year - 1900;
    utc->tm_mon = month - 1;
    utc->tm_mday = day;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (leap && month == 2);
}

static bool take_clock(struct cursor *cursor, struct tm *utc)
{
    return take_number(cursor, 2, &utc->tm_hour) && utc->tm_hour < 24 && take_char(cursor, ':') &&
           take_number(cursor, 2, &utc->tm_min) && utc->tm_min < 60 && take_char(cursor, ':') &&
           take_number(cursor, 2, &utc->tm_sec) && utc->tm_sec < 60;
}

/* Reads what may stand behind the seconds, as nanoseconds. */
static bool take_fraction(struct cursor *cursor, int64_t *ns)
{
    int64_t digit_ns = NS_PER_S / 10;
    *ns = 0;
    if (!take_char(cursor, '.'))
        return true;
    if (!at_digit(cursor))
        return false;
    for (; at_digit(cursor) && digit_ns > 0; digit_ns /= 10)
        *ns += (*cursor->at++ - '0') * digit_ns;
    return true;
}

static bool take_time(struct cursor *cursor, struct tm *utc, int64_t *fraction_ns)
{
    return take_day(cursor, utc) && take_char(cursor, 'T') && take_clock(cursor, utc) &&
           take_fraction(cursor, fraction_ns) && take_char(cursor, 'Z') &&
           cursor->at == cursor->end;
}

bool units_parse_time(const char *text, size_t length, int64_t *wall_ns)
{
    struct cursor cursor = {text, text + length};
    struct tm utc = {0};
    int64_t fraction_ns;
    if (!take_time(&cursor, &utc, &fraction_ns) || utc.tm_year < UNITS_YEAR_LEAST - 1900 ||
        utc.tm_year > UNITS_YEAR_MOST - 1900)
        return false;
    *wall_ns = (int64_t)timegm(&utc) * NS_PER_S + fraction_ns;
    return true;
}

bool units_is_time(const char *text, size_t length)
{
    struct cursor cursor = {text, text + length};
    struct tm utc = {0};
    int64_t fraction_ns;
    return take_time(&cursor, &utc, &fraction_ns);
}
