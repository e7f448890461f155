#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accept/job_file/item_file.h"

/* Writes a file; the name is static, until the next. */
static const char *written(const char *bytes, size_t length)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/item_file.%d", (int)getpid());
    FILE *to = fopen(path, "w");
    cr_assert(to != NULL && fwrite(bytes, 1, length, to) == length && fclose(to) == 0);
    return path;
}

/* Reads all items: fields in brackets, one item a line, and what is wrong at the end. */
static const char *items_of(const char *text, enum item_format format, struct buffer *items)
{
    struct item_file file;
    struct error error;
    enum item_answer answer = ITEM_WRONG;
    const char *path = written(text, strlen(text));
    items->length = 0;
    if (item_file_open(&file, path, format, &error)) {
        while ((answer = item_file_next(&file, &error)) == ITEM_READ) {
            const char *at = file.fields.bytes;
            for (uint32_t i = 0; i < file.fields_count; i++, at += strlen(at) + 1)
                buffer_printf(items, "[%s]", at);
            buffer_puts(items, "\n");
        }
    }
    if (answer == ITEM_WRONG)
        buffer_puts(items, error.message);
    item_file_close(&file);
    unlink(path);
    return buffer_text(items);
}

Test(item_file, reads_lines_but_empty_ones)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"\n\n\r\n", ""},
        {"a", "[a]\n"},
        {"a\n", "[a]\n"},
        {"a\r\nb\r\n", "[a]\n[b]\n"},
        {"\n a \n\n,\"b\n", "[ a ]\n[,\"b]\n"},
        {"a\r", "[a]\n"},
        {"\xef\xbb\xbf"
         "a\n\r",
         "[a]\n"},
        {"a\n\xc3(\n", "[a]\nline 2: it is not UTF-8"},
    };
    struct buffer items = BUFFER_EMPTY;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        cr_assert(eq(str, (char *)items_of(pairs[i][0], ITEM_LINES, &items), (char *)pairs[i][1]));
    buffer_fini(&items);
}

Test(item_file, reads_rows_behind_the_names_of_the_columns)
{
    static const char *const pairs[][2] = {
        {"a,b\n1,2\n", "[1][2]\n"},
        {"a,b\r\n1,2\r\n\r\n3,\r\n,4", "[1][2]\n[3][]\n[][4]\n"},
        {"a\n\"x, \"\"y\"\"\nz\"\n\"\"\n", "[x, \"y\"\nz]\n[]\n"},
        {"a\nb\"c\n", "[b\"c]\n"},
        {"a,b\n1\n", "line 2: 1 columns, the first line has 2"},
        {"a\n\"1\n2\"\n3,4\n", "[1\n2]\nline 4: 2 columns, the first line has 1"},
        {"a\n\"1", "line 2: a quote is not closed"},
        {"a\n\"1\"2\n", "line 2: text behind a closing quote"},
        {"\n\n", "the line with the names of the columns is missing"},
    };
    struct buffer items = BUFFER_EMPTY;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        cr_assert(eq(str, (char *)items_of(pairs[i][0], ITEM_CSV, &items), (char *)pairs[i][1]));
    buffer_fini(&items);
}

Test(item_file, finds_a_column_and_goes_back_to_the_first_row)
{
    struct item_file file;
    struct error error;
    const char *path = written("n,the name\n1,ann\n2,bob\n", 23);
    cr_assert(item_file_open(&file, path, ITEM_CSV, &error));
    for (int round = 0; round < 2; round++) {
        cr_assert(eq(int, item_file_next(&file, &error), ITEM_READ));
        cr_assert(eq(str, (char *)item_file_find(&file, "the name", 8), "ann"));
        cr_assert(eq(str, (char *)item_file_find(&file, "n", 1), "1"));
        cr_assert(item_file_find(&file, "name", 4) == NULL);
        cr_assert(eq(int, item_file_next(&file, &error), ITEM_READ));
        cr_assert(eq(int, item_file_next(&file, &error), ITEM_END));
        cr_assert(item_file_rewind(&file, &error));
    }
    item_file_close(&file);
    unlink(path);
}

Test(item_file, reads_what_goes_over_its_block)
{
    struct buffer text = BUFFER_EMPTY;
    struct item_file file;
    struct error error;
    for (int i = 0; i < 40000; i++)
        buffer_printf(&text, "line %d\n", i);
    const char *path = written(text.bytes, text.length);
    cr_assert(item_file_open(&file, path, ITEM_LINES, &error));
    for (int i = 0; i < 40000; i++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "line %d", i);
        cr_assert(eq(int, item_file_next(&file, &error), ITEM_READ));
        cr_assert(eq(str, (char *)item_file_find(&file, "", 0), wanted));
    }
    cr_assert(eq(int, item_file_next(&file, &error), ITEM_END));
    item_file_close(&file);
    unlink(path);
    buffer_fini(&text);
}

Test(item_file, is_a_regular_file)
{
    struct item_file file;
    struct error error;
    cr_assert(not(item_file_open(&file, "/dev/zero", ITEM_LINES, &error)));
    cr_assert(eq(str, error.message, "it is no regular file"));
    item_file_close(&file);
    cr_assert(not(item_file_open(&file, "/no/such", ITEM_LINES, &error)));
    item_file_close(&file);
}
