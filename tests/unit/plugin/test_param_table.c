#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "plugin/param_table.h"

static const char *const colours[] = {"red", "green", "blue", NULL};

struct fields {
    bool flag;
    int64_t n;
    double x;
    const char *text;
    int64_t wait;
    uint64_t bytes;
    int colour;
    struct sluice_list words;
    struct sluice_map pairs;
    const char *any;
};

static const struct sluice_param rows[] = {
    SLUICE_BOOL(struct fields, flag, .def = "true"),
    SLUICE_INT(struct fields, n, .required = true, .min = -5, .max = 5),
    SLUICE_FLOAT(struct fields, x, .def = "0.5", .float_min = 0, .float_max = 1),
    SLUICE_STRING(struct fields, text, .secret = true),
    SLUICE_DURATION(struct fields, wait, .def = "30s", .max = 60000000000),
    SLUICE_SIZE(struct fields, bytes, .def = "64KiB"),
    SLUICE_ENUM(struct fields, colour, .def = "green", .choices = colours),
    SLUICE_LIST(struct fields, words, .def = "[\"a\", \"b\"]"),
    SLUICE_MAP(struct fields, pairs),
    SLUICE_ANY(struct fields, any),
    SLUICE_PARAMS_END,
};

static struct param_table table;
static struct arena arena;
static struct buffer record;
static struct error error;

static void setup(void)
{
    cr_assert(param_table_init(&table, rows, sizeof(struct fields), &error), "%s", error.message);
    arena_init(&arena, 256, 0);
    record = BUFFER_EMPTY;
}

static void teardown(void)
{
    param_table_fini(&table);
    arena_fini(&arena);
    buffer_fini(&record);
}

TestSuite(param_table, .init = setup, .fini = teardown);

static enum param_answer pack(const char *name, const char *text, const char **hint)
{
    const struct param *param = param_table_find(&table, name, strlen(name), NULL);
    const char *unused;
    struct params_text scalar = {text, (uint32_t)strlen(text)};
    return param_pack(param, scalar, &record, &error, hint == NULL ? &unused : hint);
}

static bool fill(struct fields *fields)
{
    memset(fields, 0xff, sizeof *fields);
    return param_table_fill(&table, (struct params_text){record.bytes, (uint32_t)record.length},
                            fields, &arena, &error);
}

Test(param_table, defaults_fill_what_a_task_leaves_out)
{
    struct fields fields;
    cr_assert_eq(pack("n", "-5", NULL), PARAM_OK);
    cr_assert(fill(&fields), "%s", error.message);
    cr_assert(fields.flag);
    cr_assert_eq(fields.n, -5);
    cr_assert_eq(fields.x, 0.5);
    cr_assert_null(fields.text);
    cr_assert_eq(fields.wait, 30000000000);
    cr_assert_eq(fields.bytes, 65536);
    cr_assert_eq(fields.colour, 1);
    cr_assert_eq(fields.words.count, 2);
    cr_assert_str_eq(fields.words.items[1], "b");
    cr_assert_eq(fields.pairs.count, 0);
    cr_assert_null(fields.any);
}

Test(param_table, what_a_task_gives_replaces_the_defaults)
{
    struct fields fields;
    pack("flag", "false", NULL);
    pack("n", "0x3", NULL);
    pack("x", "1", NULL);
    pack("text", "no", NULL);
    pack("wait", "1m", NULL);
    pack("bytes", "10MB", NULL);
    pack("colour", "blue", NULL);
    pack("any", "{\"a\": [1]}", NULL);
    params_put_head(&record, SLUICE_KIND_LIST, "words");
    params_put_count(&record, 0);
    params_put_head(&record, SLUICE_KIND_MAP, "pairs");
    params_put_count(&record, 1);
    params_put_text(&record, "key", 3);
    params_put_text(&record, "value", 5);
    cr_assert(fill(&fields), "%s", error.message);
    cr_assert_not(fields.flag);
    cr_assert_eq(fields.n, 3);
    cr_assert_eq(fields.x, 1);
    cr_assert_str_eq(fields.text, "no");
    cr_assert_eq(fields.wait, 60000000000);
    cr_assert_eq(fields.bytes, 10000000);
    cr_assert_eq(fields.colour, 2);
    cr_assert_eq(fields.words.count, 0);
    cr_assert_str_eq(fields.pairs.pairs[0].value, "value");
    cr_assert_str_eq(fields.any, "{\"a\": [1]}");
}

Test(param_table, a_scalar_of_the_wrong_kind_adds_nothing_and_says_what_was_wanted)
{
    static const struct {
        const char *name, *text, *message;
    } wrong[] = {
        {"flag", "yes", "parameter 'flag' wants true or false, found 'yes'"},
        {"n", "1.5", "parameter 'n' wants an int, found '1.5'"},
        {"n", "", "parameter 'n' wants an int, found ''"},
        {"x", "nan", "parameter 'x' wants a number, found 'nan'"},
        {"wait", "30", "parameter 'wait' wants a duration such as 250ms, 30s or 1h30m, found '30'"},
        {"bytes", "-1", "parameter 'bytes' wants a size such as 512, 64KiB or 10MB, found '-1'"},
        {"any", "{", "parameter 'any' wants JSON, found '{'"},
        {"words", "a", "parameter 'words' wants a list, found 'a'"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_eq(pack(wrong[i].name, wrong[i].text, NULL), PARAM_WRONG_TYPE, "%s",
                     wrong[i].text);
        cr_assert_str_eq(error.message, wrong[i].message);
    }
    cr_assert_eq(record.length, 0);
}

Test(param_table, a_value_out_of_range_is_refused_with_the_range)
{
    cr_assert_eq(pack("n", "6", NULL), PARAM_OUT_OF_RANGE);
    cr_assert_str_eq(error.message, "parameter 'n' is '6', allowed is -5 to 5");
    cr_assert_eq(pack("x", "1.01", NULL), PARAM_OUT_OF_RANGE);
    cr_assert_str_eq(error.message, "parameter 'x' is '1.01', allowed is 0 to 1");
    cr_assert_eq(pack("wait", "61s", NULL), PARAM_OUT_OF_RANGE);
    cr_assert_str_eq(error.message, "parameter 'wait' is '61s', allowed is 0 to 1m");
    cr_assert_eq(record.length, 0);
}

Test(param_table, an_unknown_choice_is_refused_with_the_nearest)
{
    const char *hint;
    cr_assert_eq(pack("colour", "gren", &hint), PARAM_UNKNOWN_CHOICE);
    cr_assert_str_eq(error.message, "parameter 'colour' is 'gren', allowed: red, green, blue");
    cr_assert_str_eq(hint, "green");
    cr_assert_eq(pack("colour", "zzzzzzz", &hint), PARAM_UNKNOWN_CHOICE);
    cr_assert_null(hint);
}

Test(param_table, a_secret_is_never_shown)
{
    static const struct sluice_param secret[] = {
        SLUICE_INT(struct fields, n, .secret = true, .min = 1, .max = 2), SLUICE_PARAMS_END};
    struct param_table other;
    const char *hint;
    cr_assert(param_table_init(&other, secret, sizeof(struct fields), &error));
    cr_assert_eq(param_pack(other.rows, (struct params_text){"hunter2", 7}, &record, &error, &hint),
                 PARAM_WRONG_TYPE);
    cr_assert_null(strstr(error.message, "hunter2"));
    param_table_fini(&other);
}

Test(param_table, names_in_the_order_of_the_table_are_found_at_once)
{
    size_t next = 0;
    for (size_t i = 0; i < table.count; i++) {
        const char *name = table.rows[i].name;
        cr_assert_eq(param_table_find(&table, name, strlen(name), &next), &table.rows[i]);
        cr_assert_eq(next, i + 1);
    }
    cr_assert_eq(param_table_find(&table, "flag", 4, &next), &table.rows[0]);
    cr_assert_null(param_table_find(&table, "fla", 3, &next));
    cr_assert_null(param_table_find(&table, "flags", 5, NULL));
}

Test(param_table, a_record_that_another_table_checked_is_checked_again)
{
    struct fields fields;
    cr_assert_not(fill(&fields));
    cr_assert_str_eq(error.message, "parameter 'n': missing");
    params_put_head(&record, SLUICE_KIND_INT, "n");
    params_put_int(&record, 6);
    cr_assert_not(fill(&fields));
    cr_assert_str_eq(error.message, "parameter 'n': out of range");
    record.length = 0;
    params_put_head(&record, SLUICE_KIND_SIZE, "n");
    params_put_size(&record, 1);
    cr_assert_not(fill(&fields));
    cr_assert_str_eq(error.message, "parameter 'n': has another kind");
    record.length = 0;
    params_put_head(&record, SLUICE_KIND_INT, "gone");
    params_put_int(&record, 1);
    cr_assert_not(fill(&fields));
    cr_assert_str_eq(error.message, "unknown parameter 'gone'");
    record.length = 0;
    params_put_head(&record, SLUICE_KIND_ENUM, "colour");
    params_put_text(&record, "black", 5);
    cr_assert_not(fill(&fields));
    cr_assert_str_eq(error.message, "parameter 'colour': not one of its choices");
}

Test(param_table, a_parameter_that_stands_twice_or_is_cut_is_refused)
{
    struct fields fields;
    pack("n", "1", NULL);
    pack("n", "1", NULL);
    cr_assert_not(fill(&fields));
    cr_assert_str_eq(error.message, "parameter 'n': stands twice");
    record.length--;
    cr_assert_not(fill(&fields));
    cr_assert_str_eq(error.message, "the packed parameters are damaged");
}

Test(param_table, a_list_that_claims_more_items_than_there_are_bytes_takes_no_memory)
{
    struct fields fields;
    params_put_head(&record, SLUICE_KIND_LIST, "words");
    params_put_count(&record, UINT32_MAX);
    cr_assert_not(fill(&fields));
    cr_assert_str_eq(error.message, "the packed parameters are damaged");
    cr_assert_eq(arena.total_bytes, 0);
}

Test(param_table, a_type_without_parameters_takes_an_empty_record_only)
{
    struct param_table none;
    cr_assert(param_table_init(&none, NULL, 0, &error));
    cr_assert(param_table_fill(&none, (struct params_text){NULL, 0}, NULL, &arena, &error));
    pack("n", "1", NULL);
    struct params_text one = {record.bytes, (uint32_t)record.length};
    cr_assert_not(param_table_fill(&none, one, NULL, &arena, &error));
    param_table_fini(&none);
}

Test(param_table, rows_of_a_newer_sdk_are_walked_by_their_own_size)
{
    struct newer {
        struct sluice_param row;
        uint64_t more;
    } newer[] = {{SLUICE_INT(struct fields, n, .def = "2"), 0},
                 {SLUICE_BOOL(struct fields, flag), 0},
                 {SLUICE_PARAMS_END, 7}};
    struct param_table other;
    for (int i = 0; i < 3; i++)
        newer[i].row.size = sizeof newer[i];
    cr_assert(param_table_init(&other, &newer[0].row, sizeof(struct fields), &error));
    cr_assert_eq(other.count, 2);
    param_table_fini(&other);
    newer[1].more = 1;
    cr_assert_not(param_table_init(&other, &newer[0].row, sizeof(struct fields), &error));
    cr_assert_str_eq(error.message, "needs a newer host than 1.2: parameter row uses what this "
                                    "one does not know");
}

static void expect_refusal(struct sluice_param row, const char *message)
{
    struct param_table other;
    struct sluice_param one[] = {row, SLUICE_PARAMS_END};
    cr_assert_not(param_table_init(&other, one, sizeof(struct fields), &error), "%s", message);
    cr_assert_str_eq(error.message, message);
}

Test(param_table, a_row_that_cannot_be_is_refused_with_its_field)
{
    static const char *const twice[] = {"a", "b", "a", NULL}, *const none[] = {NULL};
    struct sluice_param row = SLUICE_INT(struct fields, n);
    struct sluice_param bad = row;
    bad.min = 1;
    expect_refusal(bad, "parameter 'n': min 1 > max 0");
    bad = row;
    bad.float_max = 1;
    expect_refusal(bad, "parameter 'n': float_min and float_max do not fit its kind");
    bad = row;
    bad.choices = colours;
    expect_refusal(bad, "parameter 'n': choices do not fit its kind");
    bad = row;
    bad.offset = sizeof(struct fields);
    expect_refusal(bad, "parameter 'n': offset 96 lies outside the struct of 96 bytes");
    bad.offset = UINT32_MAX;
    expect_refusal(bad, "parameter 'n': offset 4294967295 lies outside the struct of 96 bytes");
    struct sluice_param choice = SLUICE_ENUM(struct fields, colour, .choices = twice);
    expect_refusal(choice, "parameter 'colour': a choice stands twice");
    choice.choices = none;
    expect_refusal(choice, "parameter 'colour': no choices");
    struct sluice_param list = SLUICE_LIST(struct fields, words, .def = "[1]");
    expect_refusal(list, "parameter 'words': default is not a JSON list of strings");
    struct sluice_param real = SLUICE_FLOAT(struct fields, x, .float_min = NAN);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "parameter 'x': float_min %g > float_max 0", NAN);
    expect_refusal(real, wanted);
}

struct choice_fields {
    const char *path, *text;
    int64_t n;
};

static const struct sluice_param choice_rows[] = {
    SLUICE_STRING(struct choice_fields, path, .help = "a file", .one_of = "source"),
    SLUICE_INT(struct choice_fields, n),
    SLUICE_STRING(struct choice_fields, text, .one_of = "source"),
    SLUICE_PARAMS_END,
};

/* Replaces the table by one with an alternative. */
static void set_choice(void)
{
    param_table_fini(&table);
    cr_assert(param_table_init(&table, choice_rows, sizeof(struct choice_fields), &error), "%s",
              error.message);
}

static bool fill_choice(struct choice_fields *fields)
{
    return param_table_fill(&table, (struct params_text){record.bytes, (uint32_t)record.length},
                            fields, &arena, &error);
}

Test(param_table, of_an_alternative_exactly_one_is_given)
{
    struct choice_fields fields;
    set_choice();
    pack("n", "1", NULL);
    cr_assert_not(fill_choice(&fields));
    cr_assert_str_eq(error.message, "parameters 'path', 'text': one is missing");
    pack("text", "x", NULL);
    cr_assert(fill_choice(&fields), "%s", error.message);
    cr_assert_str_eq(fields.text, "x");
    pack("path", "y", NULL);
    cr_assert_not(fill_choice(&fields));
    cr_assert_str_eq(error.message, "parameters 'path', 'text' exclude each other");
}

static void assert_refused(struct sluice_param row, const char *message)
{
    struct param_table other;
    const struct sluice_param end = SLUICE_PARAMS_END;
    const struct sluice_param both[] = {row, end};
    cr_assert_not(param_table_init(&other, both, sizeof(struct choice_fields), &error));
    cr_assert_str_eq(error.message, message);
}

Test(param_table, an_alternative_of_one_or_with_a_default_is_refused)
{
    struct sluice_param row = choice_rows[0];
    assert_refused(row, "one_of 'source' has no second parameter");
    row.def = "x";
    assert_refused(row, "parameter 'path': one_of, but required or with a default");
    row.def = NULL;
    row.required = true;
    assert_refused(row, "parameter 'path': one_of, but required or with a default");
    row.one_of = "a b";
    assert_refused(row, "parameter 'path': invalid name in one_of");
}

struct list_fields {
    struct sluice_list words;
};

static const struct sluice_param list_rows[] = {
    SLUICE_LIST(struct list_fields, words, .min_items = 2),
    SLUICE_PARAMS_END,
};

Test(param_table, a_list_with_too_few_items_is_refused)
{
    struct list_fields fields;
    param_table_fini(&table);
    cr_assert(param_table_init(&table, list_rows, sizeof fields, &error), "%s", error.message);
    for (uint32_t count = 1; count <= 2; count++) {
        record.length = 0;
        params_put_head(&record, SLUICE_KIND_LIST, "words");
        params_put_count(&record, count);
        for (uint32_t i = 0; i < count; i++)
            params_put_text(&record, "a", 1);
        struct params_text packed = {record.bytes, (uint32_t)record.length};
        cr_assert_eq(param_table_fill(&table, packed, &fields, &arena, &error), count == 2);
    }
    cr_assert_str_eq(error.message, "parameter 'words' has 1 item, allowed is 2 or more");
    cr_assert_eq(fields.words.count, 2);
}

Test(param_table, min_items_that_its_default_or_kind_does_not_fit_is_refused)
{
    struct sluice_param row = list_rows[0];
    row.def = "[\"a\"]";
    assert_refused(row, "default: parameter 'words' has 1 item, allowed is 2 or more");
    row = choice_rows[1];
    row.min_items = 1;
    assert_refused(row, "parameter 'n': min_items does not fit its kind");
}

/* What an SDK of ABI 1.0 wrote: a row ended with its help. */
struct row_1_0 {
    _Alignas(struct sluice_param) unsigned char bytes[88];
};

static struct row_1_0 row_of_1_0(struct sluice_param row)
{
    struct row_1_0 old;
    row.size = sizeof old;
    memcpy(&old, &row, sizeof old);
    return old;
}

Test(param_table, rows_of_abi_1_0_are_as_they_were)
{
    const struct sluice_param end = SLUICE_PARAMS_END;
    const struct row_1_0 old[] = {row_of_1_0(choice_rows[0]), row_of_1_0(choice_rows[1]),
                                  row_of_1_0(end)};
    param_table_fini(&table);
    cr_assert(param_table_init(&table, (const void *)old, sizeof(struct choice_fields), &error),
              "%s", error.message);
    cr_assert_eq(table.count, 2);
    cr_assert_str_eq(table.rows[0].help, "a file");
    cr_assert_null(table.rows[0].one_of);
    cr_assert_eq(table.one_ofs_count, 0);
}
