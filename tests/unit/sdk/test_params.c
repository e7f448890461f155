/* What the row macros write into a parameter table. */
#include <criterion/criterion.h>

#include <sluice/plugin.h>

struct every {
    bool flag;
    int64_t count;
    double ratio;
    const char *text;
    int64_t pause;
    uint64_t room;
    int colour;
    struct sluice_list list;
    struct sluice_map map;
    const char *json;
};

static const char *const colours[] = {"red", "green", NULL};

static const struct sluice_param table[] = {
    SLUICE_BOOL(struct every, flag),
    SLUICE_INT(struct every, count, .required = true, .def = "1", .min = 1, .max = 9, .help = "h"),
    SLUICE_FLOAT(struct every, ratio, .float_min = 0, .float_max = 1),
    SLUICE_STRING(struct every, text, .secret = true),
    SLUICE_NAMED(DURATION, "for", struct every, pause),
    SLUICE_SIZE(struct every, room),
    SLUICE_ENUM(struct every, colour, .def = "red", .choices = colours),
    SLUICE_LIST(struct every, list),
    SLUICE_MAP(struct every, map),
    SLUICE_ANY(struct every, json),
    SLUICE_PARAMS_END,
};

/* Walks as a host does: by each row's own size. */
static const struct sluice_param *row_find(const char *name)
{
    const struct sluice_param *row = table;
    while (row->name && strcmp(row->name, name) != 0)
        row = (const void *)((const char *)row + row->size);
    return row->name ? row : NULL;
}

Test(params, a_table_is_walked_by_the_size_of_its_rows_up_to_its_end)
{
    cr_assert_not_null(row_find("json"));
    cr_assert_null(row_find("nothing"));
}

Test(params, each_row_knows_kind_place_and_size_of_its_field)
{
    for (uint32_t i = 0; table[i].name; i++)
        cr_assert_eq(table[i].kind, i + 1);
    cr_assert_eq(row_find("flag")->field_size, sizeof(bool));
    cr_assert_eq(row_find("count")->offset, offsetof(struct every, count));
    cr_assert_eq(row_find("ratio")->field_size, sizeof(double));
    cr_assert_eq(row_find("colour")->field_size, sizeof(int));
    cr_assert_eq(row_find("list")->field_size, sizeof(struct sluice_list));
    cr_assert_eq(row_find("map")->offset, offsetof(struct every, map));
}

Test(params, a_row_may_have_another_name_than_its_field)
{
    cr_assert_eq(row_find("for")->offset, offsetof(struct every, pause));
}

Test(params, what_a_row_says_of_its_values_is_kept)
{
    const struct sluice_param *count = row_find("count");
    cr_assert(count->required);
    cr_assert_not(count->secret);
    cr_assert_str_eq(count->def, "1");
    cr_assert_eq(count->min, 1);
    cr_assert_eq(count->max, 9);
    cr_assert_str_eq(count->help, "h");
    cr_assert(row_find("text")->secret);
    cr_assert_eq(row_find("colour")->choices, colours);
    cr_assert_float_eq(row_find("ratio")->float_max, 1.0, 1e-9);
}
