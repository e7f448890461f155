/* The bounded record of a child's output. */
#include "../../../plugins/exec/capture.c"

#include <criterion/criterion.h>

static struct capture capture;
static int ends[2];

static void setup(void)
{
    capture_clear(&capture);
    cr_assert_eq(pipe(ends), 0);
}

static void teardown(void)
{
    close(ends[0]);
    close(ends[1]);
}

TestSuite(capture, .init = setup, .fini = teardown);

static void feed(const char *text, size_t length)
{
    cr_assert_eq(write(ends[1], text, length), (ssize_t)length);
    capture_read(&capture, ends[0]);
}

static const char *last_line(size_t room)
{
    static char line[256];
    capture_last_line(&capture, line, room);
    return line;
}

Test(capture, text_loses_the_line_ends_at_its_end_and_its_nul_bytes)
{
    feed("a\0b\n\0\n\n", 7);
    size_t length;
    const char *text = capture_text(&capture, &length);
    cr_assert_eq(length, 5);
    cr_assert_eq(memcmp(text, "a?b\n?", 5), 0);
    cr_assert_eq(capture.total_bytes, 7);
}

Test(capture, an_empty_stream_is_an_empty_text_without_a_last_line)
{
    size_t length;
    capture_text(&capture, &length);
    cr_assert_eq(length, 0);
    cr_assert_str_eq(last_line(64), "");
}

Test(capture, the_last_line_is_the_last_one_that_is_not_empty)
{
    feed("first\nsecond\r\n\n", 15);
    cr_assert_str_eq(last_line(64), "second");
}

Test(capture, a_long_last_line_is_shown_from_its_end)
{
    feed("x\n0123456789", 12);
    cr_assert_str_eq(last_line(5), "6789");
}

Test(capture, the_last_line_is_found_across_reads_and_beyond_what_is_kept)
{
    char filling[CAPTURE_HEAD_BYTES / 7]; /* less than is read at once */
    memset(filling, '.', sizeof filling);
    for (int i = 0; i < 7; i++)
        feed(filling, sizeof filling);
    feed("\nthe rea", 8);
    feed("son\n", 4);
    cr_assert_str_eq(last_line(64), "the reason");
    cr_assert_eq(capture.total_bytes - capture.head_bytes, 12);
}
