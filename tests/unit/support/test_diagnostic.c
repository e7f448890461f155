#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/diagnostic.h"

static struct diagnostics list;

static void begin(void)
{
    diagnostics_init(&list, "nightly.yaml");
}

static void end(void)
{
    diagnostics_fini(&list);
}

TestSuite(diagnostic, .init = begin, .fini = end);

static void add(uint32_t line, uint32_t column, uint32_t width, const char *message)
{
    diagnostics_add(&list, (struct place){line, column, width}, "wrong", message, NULL);
}

static void read_excerpts(const char *content, size_t length)
{
    int fd = memfd_create("job", MFD_CLOEXEC);
    cr_assert_eq(write(fd, content, length), (ssize_t)length);
    diagnostics_read_excerpts(&list, fd);
    close(fd);
}

static const char *printed(bool colour)
{
    static char *text;
    size_t length;
    free(text);
    FILE *to = open_memstream(&text, &length);
    diagnostics_print(&list, to, colour);
    fclose(to);
    return text;
}

static void expect(const char *content, const char *wanted)
{
    read_excerpts(content, strlen(content));
    cr_assert_str_eq(printed(false), wanted);
}

Test(diagnostic, shows_the_place_the_line_a_caret_and_a_hint)
{
    diagnostics_add(&list, (struct place){2, 12, 3}, "unknown_param",
                    "unknown parameter 'ur1' for type 'http.request'", "did you mean 'url'?");
    expect("tasks:\n  params: {ur1: \"https://example.org\"}\n",
           "nightly.yaml:2:12: error: unknown parameter 'ur1' for type 'http.request'\n"
           "    2 |   params: {ur1: \"https://example.org\"}\n"
           "      |            ^~~\n"
           "      = did you mean 'url'?\n");
}

Test(diagnostic, are_in_the_order_of_the_file_and_of_coming)
{
    add(3, 1, 1, "third");
    add(1, 2, 1, "second");
    add(1, 1, 1, "first");
    add(3, 1, 1, "fourth");
    expect("ab\n\ncd", "nightly.yaml:1:1: error: first\n    1 | ab\n      | ^\n"
                       "nightly.yaml:1:2: error: second\n    1 | ab\n      |  ^\n"
                       "nightly.yaml:3:1: error: third\n    3 | cd\n      | ^\n"
                       "nightly.yaml:3:1: error: fourth\n    3 | cd\n      | ^\n");
}

Test(diagnostic, without_column_has_no_caret_and_without_line_no_excerpt)
{
    add(1, 0, 0, "this line");
    add(0, 0, 0, "file is empty");
    expect("abc\n", "nightly.yaml: error: file is empty\n"
                    "nightly.yaml:1: error: this line\n    1 | abc\n");
}

Test(diagnostic, a_line_that_is_not_there_has_no_excerpt)
{
    add(9, 1, 1, "tasks are missing");
    expect("abc\n", "nightly.yaml:9:1: error: tasks are missing\n");
}

Test(diagnostic, tabs_stand_under_tabs)
{
    add(1, 4, 2, "here");
    expect("\ta\tbcd", "nightly.yaml:1:4: error: here\n    1 | \ta\tbcd\n      | \t \t^~\n");
}

Test(diagnostic, columns_are_characters_not_bytes)
{
    add(1, 4, 2, "here");
    expect("\xef\xbb\xbf\xc3\xa4\xe2\x82\xac xyz\r\n",
           "nightly.yaml:1:4: error: here\n    1 | \xc3\xa4\xe2\x82\xac xyz\n      |    ^~\n");
}

Test(diagnostic, shows_no_byte_that_could_steer_a_terminal)
{
    add(1, 2, 1, "bad \033[2J here");
    expect("\033x\xff", "nightly.yaml:1:2: error: bad ?[2J here\n    1 | ?x?\n      |  ^\n");
}

Test(diagnostic, a_wide_mark_ends_with_its_line)
{
    add(1, 2, 4000000000u, "here");
    expect("abcd", "nightly.yaml:1:2: error: here\n    1 | abcd\n      |  ^~~\n");
}

Test(diagnostic, a_long_line_is_cut_around_the_caret)
{
    static char content[300000];
    memset(content, 'x', sizeof(content));
    content[200000] = '#';
    add(1, 200001, 1, "here");
    read_excerpts(content, sizeof(content));
    const char *text = printed(false), *line = strchr(text, '|') + 2, *mark = strchr(line, '|') + 2;
    cr_assert_eq(strncmp(line, "...xxx", 6), 0);
    cr_assert_eq(strcspn(line, "#"), strcspn(mark, "^"));
    cr_assert_eq(strcspn(line, "\n"), 206);
}

Test(diagnostic, a_long_line_of_bytes_that_begin_no_character_is_cut_before_the_caret)
{
    char line[152];
    memset(line, '\x8f', sizeof(line));
    add(1, 140, 1, "wrong");
    read_excerpts(line, sizeof(line));
    cr_assert_str_eq(printed(false), "nightly.yaml:1:140: error: wrong\n"
                                     "    1 | ...?????????????\n"
                                     "      |    ^\n");
}

Test(diagnostic, finds_lines_in_a_file_larger_than_it_reads_at_once)
{
    size_t length = 0, capacity = 400000;
    char *content = malloc(capacity);
    for (int i = 1; i <= 20000; i++)
        length += (size_t)snprintf(content + length, capacity - length, "line %d\n", i);
    add(19999, 6, 5, "here");
    add(7000, 6, 4, "here");
    read_excerpts(content, length);
    free(content);
    cr_assert_str_eq(list.kept[0].excerpt, "line 7000");
    cr_assert_str_eq(list.kept[1].excerpt, "line 19999");
    cr_assert_eq(list.kept[1].caret_column, 6);
}

Test(diagnostic, past_a_hundred_only_the_count_goes_up)
{
    for (int i = 0; i < 123; i++)
        add(0, 0, 0, "wrong");
    const char *text = printed(false);
    cr_assert_eq(list.found_count, 123);
    cr_assert_not_null(strstr(text, "wrong\nnightly.yaml: 23 more errors not shown\n"));
}

Test(diagnostic, is_coloured_only_when_asked)
{
    add(1, 1, 1, "here");
    read_excerpts("ab", 2);
    cr_assert_null(strchr(printed(false), '\033'));
    cr_assert_str_eq(printed(true), "\033[1mnightly.yaml:1:1:\033[0m \033[1;31merror:\033[0m here\n"
                                    "    1 | ab\n      | \033[1;32m^\033[0m\n");
}

Test(diagnostic, is_json_with_all_its_fields)
{
    diagnostics_add(&list, (struct place){2, 3, 1}, "unknown_key", "bad \xff key", "try 'id'");
    add(0, 0, 0, "empty");
    char *text = diagnostics_json(&list);
    cr_assert_str_eq(
        text,
        "[{\"file\":\"nightly.yaml\",\"line\":2,\"column\":3,\"width\":1,\"code\":\"unknown_key\","
        "\"message\":\"bad ? key\",\"hint\":\"try 'id'\"},"
        "{\"file\":\"nightly.yaml\",\"line\":0,\"column\":0,\"width\":0,\"code\":\"wrong\","
        "\"message\":\"empty\",\"hint\":null}]");
    free(text);
}
