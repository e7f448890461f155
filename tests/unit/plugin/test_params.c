#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/params.h"

static struct buffer example(void)
{
    struct buffer record = BUFFER_EMPTY;
    params_put_head(&record, SLUICE_KIND_BOOL, "flag");
    params_put_bool(&record, true);
    params_put_head(&record, SLUICE_KIND_INT, "n");
    params_put_int(&record, INT64_MIN);
    params_put_head(&record, SLUICE_KIND_FLOAT, "x");
    params_put_float(&record, -0.5);
    params_put_head(&record, SLUICE_KIND_SIZE, "bytes");
    params_put_size(&record, UINT64_MAX);
    params_put_head(&record, SLUICE_KIND_STRING, "text");
    params_put_text(&record, "", 0);
    params_put_head(&record, SLUICE_KIND_LIST, "words");
    size_t count = params_put_count(&record, 0);
    params_put_text(&record, "one", 3);
    params_put_text(&record, "two", 3);
    params_set_count(&record, count, 2);
    params_put_head(&record, SLUICE_KIND_MAP, "pairs");
    params_put_count(&record, 1);
    params_put_text(&record, "key", 3);
    params_put_text(&record, "value", 5);
    return record;
}

/* Reads all of a record; how many fields there were, or -1 where it is damaged. */
static int read_all(const void *record, size_t bytes)
{
    struct params_reader reader;
    struct params_field field;
    int fields = 0;
    params_begin(&reader, record, bytes);
    while (params_next(&reader, &field)) {
        struct params_text text;
        uint64_t texts = field.kind == SLUICE_KIND_LIST  ? field.count
                         : field.kind == SLUICE_KIND_MAP ? 2 * (uint64_t)field.count
                                                         : 0;
        for (uint64_t i = 0; i < texts; i++)
            if (!params_next_text(&reader, &text))
                return -1;
        fields++;
    }
    return reader.at == reader.end ? fields : -1;
}

Test(params, what_was_put_is_read_again)
{
    struct buffer record = example();
    struct params_reader reader;
    struct params_field field;
    struct params_text text;
    params_begin(&reader, record.bytes, record.length);
    cr_assert(params_next(&reader, &field));
    cr_assert_str_eq(field.name.bytes, "flag");
    cr_assert(field.boolean);
    cr_assert(params_next(&reader, &field));
    cr_assert_eq(field.integer, INT64_MIN);
    cr_assert(params_next(&reader, &field));
    cr_assert_eq(field.real, -0.5);
    cr_assert(params_next(&reader, &field));
    cr_assert_eq(field.size, UINT64_MAX);
    cr_assert(params_next(&reader, &field));
    cr_assert_eq(field.text.length, 0);
    cr_assert_str_eq(field.text.bytes, "");
    cr_assert(params_next(&reader, &field));
    cr_assert_eq(field.count, 2);
    cr_assert(params_next_text(&reader, &text));
    cr_assert_str_eq(text.bytes, "one");
    cr_assert(params_next_text(&reader, &text));
    cr_assert_str_eq(text.bytes, "two");
    cr_assert(params_next(&reader, &field));
    cr_assert_eq(field.kind, SLUICE_KIND_MAP);
    cr_assert(params_next_text(&reader, &text));
    cr_assert_str_eq(text.bytes, "key");
    cr_assert(params_next_text(&reader, &text));
    cr_assert_str_eq(text.bytes, "value");
    cr_assert_not(params_next(&reader, &field));
    cr_assert_eq(reader.at, reader.end);
    buffer_fini(&record);
}

Test(params, an_empty_record_has_no_fields)
{
    cr_assert_eq(read_all(NULL, 0), 0);
}

Test(params, a_record_cut_inside_a_field_is_damaged)
{
    struct buffer record = example();
    int whole = read_all(record.bytes, record.length);
    int undamaged = 0;
    cr_assert_eq(whole, 7);
    for (size_t length = 0; length < record.length; length++) {
        /* in memory of its own, so that a sanitizer sees a read behind the end */
        char *cut = malloc(length + (length == 0));
        memcpy(cut, record.bytes, length);
        undamaged += read_all(cut, length) >= 0;
        free(cut);
    }
    cr_assert_eq(undamaged, whole); /* the cuts between two fields */
    buffer_fini(&record);
}

Test(params, a_record_with_any_byte_changed_stays_inside_its_bounds)
{
    struct buffer record = example();
    int refused = 0;
    for (size_t at = 0; at < record.length; at++) {
        for (int value = 0; value < 256; value++) {
            char *changed = malloc(record.length);
            memcpy(changed, record.bytes, record.length);
            changed[at] = (char)value;
            refused += read_all(changed, record.length) < 0;
            free(changed);
        }
    }
    cr_assert_gt(refused, 1000);
    buffer_fini(&record);
}

Test(params, a_name_or_text_with_a_nul_inside_is_damaged)
{
    struct buffer record = BUFFER_EMPTY;
    params_put_head(&record, SLUICE_KIND_STRING, "abc");
    params_put_text(&record, "a\0c", 3);
    cr_assert_eq(read_all(record.bytes, record.length), -1);
    record.length = 0;
    params_put_head(&record, SLUICE_KIND_BOOL, "abc");
    params_put_bool(&record, true);
    record.bytes[3] = '\0';
    cr_assert_eq(read_all(record.bytes, record.length), -1);
    buffer_fini(&record);
}

Test(params, a_field_with_the_head_that_was_expected_is_read_at_once)
{
    struct buffer record = example(), head = BUFFER_EMPTY;
    struct params_reader reader;
    struct params_field field, same;
    params_put_head(&head, SLUICE_KIND_BOOL, "flag");
    params_begin(&reader, record.bytes, record.length);
    struct params_reader again = reader;
    cr_assert(
        params_next_of(&reader, (struct params_text){head.bytes, (uint32_t)head.length}, &field));
    cr_assert(params_next(&again, &same));
    cr_assert_eq(field.kind, same.kind);
    cr_assert_eq(field.name.bytes, same.name.bytes);
    cr_assert_eq(field.name.length, same.name.length);
    cr_assert_eq(field.boolean, same.boolean);
    cr_assert_eq(reader.at, again.at);
    buffer_fini(&record);
    buffer_fini(&head);
}

Test(params, a_field_with_another_head_or_cut_short_is_left)
{
    static const char *const others[] = {"fla", "flags", "flat"};
    struct buffer record = example(), head = BUFFER_EMPTY;
    struct params_reader reader;
    struct params_field field;
    params_begin(&reader, record.bytes, record.length);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        head.length = 0;
        params_put_head(&head, SLUICE_KIND_BOOL, others[i]);
        cr_assert_not(params_next_of(
            &reader, (struct params_text){head.bytes, (uint32_t)head.length}, &field));
    }
    head.length = 0;
    params_put_head(&head, SLUICE_KIND_BOOL, "flag");
    for (size_t length = 0; length <= head.length; length++) {
        params_begin(&reader, record.bytes, length);
        cr_assert_not(params_next_of(
            &reader, (struct params_text){head.bytes, (uint32_t)head.length}, &field));
        cr_assert_eq((const char *)reader.at, record.bytes);
    }
    buffer_fini(&record);
    buffer_fini(&head);
}
