/* units: durations, sizes and numbers as people write them in job files, configuration and options.
 * Stateless; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNITS_YEAR_LEAST = 1970, UNITS_YEAR_MOST = 2261 }; /* of a time; in ns it has 64 bits */

/* Reads a duration such as 250ms, 30s, 5m, 2h, 7d, 1h30m, 1.5s, 10us, 100ns, or 0: a whole number
 * of ns, larger units first; false if it is none or over 2^63-1 ns. */
bool units_parse_duration(const char *text, size_t length, int64_t *ns);

/* Reads a size such as 64KiB, 10MB, 512, 1GiB (units B, kB, KB, MB, GB, TB, KiB, MiB, GiB,
 * TiB); false if it is none or over 2^63-1. */
bool units_parse_size(const char *text, size_t length, uint64_t *bytes);

/* Reads a decimal or 0x integer with an optional sign; false if it is none or out of range. */
bool units_parse_int(const char *text, size_t length, int64_t *number);

/* Returns whether a text is such an integer of any size: one that units_parse_int refuses is then
 * out of range. */
bool units_is_int(const char *text, size_t length);

/* Reads a finite decimal number with optional fraction and exponent, whatever the locale; false if
 * it is none. */
bool units_parse_float(const char *text, size_t length, double *number);

/* Reads a time in UTC as RFC 3339 has it, such as 2026-12-01T06:00:00Z, with up to nine digits
 * behind a point, into nanoseconds since 1970; false if it is none, or outside the years
 * below. */
bool units_parse_time(const char *text, size_t length, int64_t *wall_ns);

/* Returns whether a text is such a time in any year: one that units_parse_time refuses is then out
 * of range. */
bool units_is_time(const char *text, size_t length);

/* Writes a duration in its shortest exact form ("1h30m", "250ms") and returns text. */
const char *units_format_duration(int64_t ns, char *text, size_t capacity);

/* Writes a size in its shortest exact form ("64KiB", "10MB", "513B") and returns text. */
const char *units_format_size(uint64_t bytes, char *text, size_t capacity);
