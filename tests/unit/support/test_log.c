#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "support/log.h"

static int reader = -1;
static char captured[16384];

/* Standard error of this test's process becomes a pipe. */
static void capture(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    reader = ends[0];
}

/* Returns what one write left in the pipe. */
static const char *written(void)
{
    ssize_t length = read(reader, captured, sizeof(captured) - 1);
    captured[length > 0 ? length : 0] = '\0';
    return captured;
}

/* Returns the line without its time, which is checked to be one. */
static const char *written_after_time(void)
{
    const char *line = written();
    int parts[7], length = 0;
    int count = sscanf(line, "time=%d-%d-%dT%d:%d:%d.%3dZ %n", &parts[0], &parts[1], &parts[2],
                       &parts[3], &parts[4], &parts[5], &parts[6], &length);
    cr_assert_eq(count, 7, "%s", line);
    cr_assert_eq(length, 30);
    return line + length;
}

static bool ends_with(const char *line, const char *end)
{
    return strlen(line) >= strlen(end) && strcmp(line + strlen(line) - strlen(end), end) == 0;
}

TestSuite(log, .init = capture);

Test(log, writes_a_line_of_time_level_message_and_fields)
{
    log_info("plugin loaded", LOG_TEXT("plugin", "exec"), LOG_NUMBER("types", 3));
    cr_assert_str_eq(written_after_time(),
                     "level=info msg=\"plugin loaded\" plugin=exec types=3\n");
}

Test(log, quotes_and_escapes_what_would_break_the_line)
{
    log_warning("odd", LOG_TEXT("a", "x y"), LOG_TEXT("b", "q\"\\\n\033"), LOG_TEXT("c", ""),
                LOG_TEXT("d", "k=v"), LOG_TEXT("e", "\xc3\xa4\xff"));
    cr_assert_str_eq(written_after_time(),
                     "level=warning msg=\"odd\" a=\"x y\" b=\"q\\\"\\\\\\n\\u001b\" c=\"\" "
                     "d=\"k=v\" e=\"\xc3\xa4\xef\xbf\xbd\"\n");
}

Test(log, is_silent_below_its_level)
{
    log_configure(LOG_WARNING, LOG_FORMAT_LOGFMT);
    log_info("not seen");
    log_error("seen");
    cr_assert_str_eq(written_after_time(), "level=error msg=\"seen\"\n");
}

Test(log, writes_json_that_a_parser_reads_back)
{
    log_configure(LOG_INFO, LOG_FORMAT_JSON);
    log_error("it \"broke\"", LOG_TEXT("why", "tab\there \x01\xfe"), LOG_NUMBER("n", -5));
    json_t *line = json_loads(written(), 0, NULL);
    cr_assert_not_null(line, "%s", captured);
    cr_assert_str_eq(json_string_value(json_object_get(line, "level")), "error");
    cr_assert_str_eq(json_string_value(json_object_get(line, "msg")), "it \"broke\"");
    cr_assert_str_eq(json_string_value(json_object_get(line, "why")), "tab\there \x01\xef\xbf\xbd");
    cr_assert_eq(json_integer_value(json_object_get(line, "n")), -5);
    json_decref(line);
}

static void write_too_much(void)
{
    char text[10000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("long", LOG_TEXT("first", text), LOG_NUMBER("second", 1));
}

Test(log, cuts_a_long_line_and_says_so)
{
    write_too_much();
    const char *line = written();
    cr_assert_leq(strlen(line), 4096);
    cr_assert(ends_with(line, "xxx... cut=true\n"), "%s", line);
}

Test(log, a_cut_json_line_is_still_json)
{
    log_configure(LOG_INFO, LOG_FORMAT_JSON);
    write_too_much();
    json_t *line = json_loads(written(), 0, NULL);
    cr_assert_not_null(line, "%s", captured);
    cr_assert(json_is_true(json_object_get(line, "cut")));
    cr_assert_null(json_object_get(line, "second"));
    json_decref(line);
}

static void draw_progress(void)
{
    cr_assert_eq(write(STDERR_FILENO, "50%", 3), 3);
}

Test(log, clears_a_progress_line_and_has_it_drawn_again)
{
    log_set_interlude("\r\033[K", draw_progress);
    log_info("hello");
    const char *line = written();
    cr_assert_eq(strncmp(line, "\r\033[Ktime=", 9), 0);
    cr_assert(ends_with(line, "msg=\"hello\"\n50%"), "%s", line);
}

Test(log, finds_levels_by_their_words)
{
    cr_assert_eq(log_level_find("debug"), LOG_DEBUG);
    cr_assert_eq(log_level_find("error"), LOG_ERROR);
    cr_assert_eq(log_level_find("loud"), -1);
}
