/* The bounded record of a child's output. */
#include "../../../plugins/exec/capture.c"

#include <criterion/criterion.h>

#include "fake_host.h"

static struct capture capture;
static struct fake fake;
static int ends[2];

static void setup(void)
{
    fake_init(&fake);
    capture_begin(&capture, &fake.call);
    cr_assert_eq(pipe(ends), 0);
}

static void teardown(void)
{
    fake_fini(&fake);
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

Test(capture, whole_lines_are_printed_as_they_come_and_the_last_one_gets_its_end)
{
    feed("one\ntw", 6);
    cr_assert_str_eq(fake.printed, "one\n");
    feed("o", 1);
    cr_assert_str_eq(fake.printed, "one\n");
    feed("\n\nthree", 7);
    cr_assert_str_eq(fake.printed, "one\ntwo\n\n");
    capture_end(&capture);
    cr_assert_str_eq(fake.printed, "one\ntwo\n\nthree\n");
    capture_end(&capture);
    cr_assert_eq(fake.printed_bytes, 15);
}

Test(capture, a_line_longer_than_the_tail_is_printed_in_pieces)
{
    char piece[CAPTURE_TAIL_BYTES / 2];
    memset(piece, 'x', sizeof piece);
    feed(piece, sizeof piece);
    feed(piece, sizeof piece);
    cr_assert_eq(fake.prints_count, 0);
    feed("y", 1);
    cr_assert_eq(fake.printed_bytes, CAPTURE_TAIL_BYTES + 1);
    cr_assert_eq(fake.printed[CAPTURE_TAIL_BYTES], 'y');
    feed("z\n", 2);
    cr_assert_str_eq(fake.printed + CAPTURE_TAIL_BYTES, "yz\n");
    feed("a\n", 2);
    cr_assert_str_eq(fake.printed + CAPTURE_TAIL_BYTES, "yz\na\n");
}

Test(capture, a_stream_without_a_byte_prints_nothing)
{
    capture_end(&capture);
    cr_assert_eq(fake.prints_count, 0);
}
