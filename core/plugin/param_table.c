/* param_table: checking a plugin's table. Nothing that the plugin says is believed before it was
 * looked at, and all texts are copied, so that the table does not depend on the plugin's memory. */
#include "plugin/param_table.h"

#include <jansson.h>
#include <string.h>

#include "plugin/name.h"
#include "plugin/param_one_of.h"
#include "plugin/sized.h"
#include "support/cleanup.h"

enum { TEXTS_BLOCK_BYTES = 1024, TEXTS_MOST_BYTES = 4 * 1024 * 1024 };

/* The end of a row in ABI 1.0 is where one_of begins. */
static const struct sized_bytes row_bytes = {offsetof(struct sluice_param, one_of),
                                             sizeof(struct sluice_param)};

struct kind_shape {
    const char *word;
    uint32_t bytes, align;
};

static const struct kind_shape kind_shapes[] = {
    [SLUICE_KIND_BOOL] = {"bool", sizeof(bool), _Alignof(bool)},
    [SLUICE_KIND_INT] = {"int", sizeof(int64_t), _Alignof(int64_t)},
    [SLUICE_KIND_FLOAT] = {"float", sizeof(double), _Alignof(double)},
    [SLUICE_KIND_STRING] = {"string", sizeof(char *), _Alignof(char *)},
    [SLUICE_KIND_DURATION] = {"duration", sizeof(int64_t), _Alignof(int64_t)},
    [SLUICE_KIND_SIZE] = {"size", sizeof(uint64_t), _Alignof(uint64_t)},
    [SLUICE_KIND_ENUM] = {"enum", sizeof(int), _Alignof(int)},
    [SLUICE_KIND_LIST] = {"list", sizeof(struct sluice_list), _Alignof(struct sluice_list)},
    [SLUICE_KIND_MAP] = {"map", sizeof(struct sluice_map), _Alignof(struct sluice_map)},
    [SLUICE_KIND_ANY] = {"any", sizeof(char *), _Alignof(char *)},
};

const char *param_kind_word(enum sluice_kind kind)
{
    return kind_shapes[kind].word;
}

static bool refuse(struct error *error, const struct sluice_param *row, const char *why)
{
    return error_set(error, "bad_parameter", "parameter '%s': %s", row->name, why);
}

static bool check_place(const struct sluice_param *row, size_t struct_bytes, struct error *error)
{
    const struct kind_shape *shape = &kind_shapes[row->kind];
    if (row->field_size != shape->bytes)
        return error_set(error, "bad_parameter", "parameter '%s': field_size is %u, %s has %u",
                         row->name, row->field_size, shape->word, shape->bytes);
    if (row->offset > struct_bytes || struct_bytes - row->offset < row->field_size)
        return error_set(error, "bad_parameter",
                         "parameter '%s': offset %u lies outside the struct of %zu bytes",
                         row->name, row->offset, struct_bytes);
    if (row->offset % shape->align != 0)
        return error_set(error, "bad_parameter", "parameter '%s': offset %u is not aligned to %u",
                         row->name, row->offset, shape->align);
    return true;
}

static bool check_range(const struct sluice_param *row, struct error *error)
{
    bool counts = row->kind == SLUICE_KIND_INT || row->kind == SLUICE_KIND_DURATION ||
                  row->kind == SLUICE_KIND_SIZE;
    bool real = row->kind == SLUICE_KIND_FLOAT;
    if (!counts && (row->min != 0 || row->max != 0))
        return refuse(error, row, "min and max do not fit its kind");
    if (!real && (row->float_min != 0 || row->float_max != 0))
        return refuse(error, row, "float_min and float_max do not fit its kind");
    if (row->min > row->max)
        return error_set(error, "bad_parameter", "parameter '%s': min %lld > max %lld", row->name,
                         (long long)row->min, (long long)row->max);
    if (!(row->float_min <= row->float_max)) /* refuses NaN too */
        return error_set(error, "bad_parameter", "parameter '%s': float_min %g > float_max %g",
                         row->name, row->float_min, row->float_max);
    if (row->kind == SLUICE_KIND_SIZE && row->min < 0)
        return refuse(error, row, "min is negative");
    return true;
}

static bool text_fits(const char *text)
{
    return text == NULL || strnlen(text, PARAM_TEXT_MOST_BYTES + 1) <= PARAM_TEXT_MOST_BYTES;
}

static bool check_choices(const struct sluice_param *row, struct error *error)
{
    if (row->choices == NULL)
        return row->kind == SLUICE_KIND_ENUM ? refuse(error, row, "an enum without choices") : true;
    if (row->kind != SLUICE_KIND_ENUM && row->kind != SLUICE_KIND_STRING)
        return refuse(error, row, "choices do not fit its kind");
    size_t count = 0;
    for (; row->choices[count] != NULL; count++) {
        if (count == PARAM_CHOICES_MOST)
            return refuse(error, row, "too many choices");
        if (row->choices[count][0] == '\0' || !text_fits(row->choices[count]))
            return refuse(error, row, "a choice is empty or too long");
        for (size_t i = 0; i < count; i++) {
            if (strcmp(row->choices[i], row->choices[count]) == 0)
                return refuse(error, row, "a choice stands twice");
        }
    }
    return count > 0 || refuse(error, row, "no choices");
}

static bool check_row(const struct sluice_param *row, size_t struct_bytes, struct error *error)
{
    if (!name_is_param(row->name))
        return error_set(error, "bad_parameter", "parameter '%.64s': invalid name", row->name);
    if (row->kind < SLUICE_KIND_BOOL || row->kind > SLUICE_KIND_ANY)
        return error_set(error, "bad_parameter", "parameter '%s': unknown kind %u", row->name,
                         row->kind);
    if (row->required && row->def != NULL)
        return refuse(error, row, "required, but has a default");
    if (row->one_of != NULL && !name_is_param(row->one_of))
        return refuse(error, row, "invalid name in one_of");
    if (row->one_of != NULL && (row->required || row->def != NULL))
        return refuse(error, row, "one_of, but required or with a default");
    if (row->min_items != 0 && row->kind != SLUICE_KIND_LIST)
        return refuse(error, row, "min_items does not fit its kind");
    if (!text_fits(row->help) || !text_fits(row->def))
        return refuse(error, row, "help or default too long");
    return check_place(row, struct_bytes, error) && check_range(row, error) &&
           check_choices(row, error);
}

static char *keep_text(struct arena *texts, const char *text)
{
    return text == NULL ? NULL : arena_strndup(texts, text, strlen(text));
}

static struct params_text keep_head(struct arena *texts, const struct sluice_param *row)
{
    CLEANUP(buffer_fini) struct buffer head = BUFFER_EMPTY;
    params_put_head(&head, (enum sluice_kind)row->kind, row->name);
    char *kept = arena_alloc(texts, head.length, 1);
    if (kept != NULL)
        memcpy(kept, head.bytes, head.length);
    return (struct params_text){kept, (uint32_t)head.length};
}

/* NULL where there are none, and where memory is out, which keep_row tells apart. */
static const char *const *keep_choices(struct arena *texts, const char *const *choices)
{
    size_t count = 0;
    while (choices != NULL && choices[count] != NULL)
        count++;
    if (count == 0)
        return NULL;
    const char **kept = arena_alloc(texts, (count + 1) * sizeof *kept, _Alignof(char *));
    if (kept == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        kept[i] = keep_text(texts, choices[i]);
        if (kept[i] == NULL)
            return NULL;
    }
    kept[count] = NULL;
    return kept;
}

static bool keep_row(struct param_table *table, const struct sluice_param *row, struct error *error)
{
    struct param *param = &table->rows[table->count];
    *param = (struct param){
        .name = keep_text(&table->texts, row->name),
        .help = keep_text(&table->texts, row->help),
        .def = keep_text(&table->texts, row->def),
        .head = keep_head(&table->texts, row),
        .choices = keep_choices(&table->texts, row->choices),
        .one_of = keep_text(&table->texts, row->one_of),
        .kind = (enum sluice_kind)row->kind,
        .offset = row->offset,
        .required = row->required,
        .secret = row->secret,
        .min = row->min,
        .max = row->max,
        .float_min = row->float_min,
        .float_max = row->float_max,
        .min_items = row->min_items,
    };
    param->has_range = row->min != 0 || row->max != 0 || row->float_min != 0 || row->float_max != 0;
    if (param->name == NULL || param->head.bytes == NULL ||
        (param->help == NULL) != (row->help == NULL) ||
        (param->def == NULL) != (row->def == NULL) ||
        (param->choices == NULL) != (row->choices == NULL) ||
        (param->one_of == NULL) != (row->one_of == NULL))
        return refuse(error, row, "texts too long in all");
    if (param->required)
        table->required[table->count / 64] |= UINT64_C(1) << (table->count % 64);
    table->count++;
    return true;
}

/* A plugin's bool may hold any byte; as a bool, another one than 0 or 1 must not even be read. */
static bool copy_row(struct sluice_param *row, const struct sluice_param *from, struct error *error)
{
    _Alignas(struct sluice_param) unsigned char raw[sizeof *row];
    if (!sized_copy(raw, row_bytes, from, "parameter row", error))
        return false;
    unsigned char *required = raw + offsetof(struct sluice_param, required);
    unsigned char *secret = raw + offsetof(struct sluice_param, secret);
    *required = *required != 0;
    *secret = *secret != 0;
    memcpy(row, raw, sizeof *row);
    return true;
}

static bool add_row(struct param_table *table, const struct sluice_param *from, struct error *error)
{
    struct sluice_param row;
    if (!copy_row(&row, from, error) || !check_row(&row, table->struct_bytes, error))
        return false;
    if (param_table_find(table, row.name, strlen(row.name), NULL) != NULL)
        return refuse(error, &row, "stands twice");
    return keep_row(table, &row, error);
}

/* Of the end row only size and name count. */
static bool count_rows(const struct sluice_param *rows, size_t *count, struct error *error)
{
    const struct sluice_param *row = rows;
    for (*count = 0; *count <= PARAM_ROWS_MOST; (*count)++) {
        char what[32];
        snprintf(what, sizeof what, "parameter row %zu", *count + 1);
        if (!sized_check(row, row_bytes, what, error))
            return false;
        if (row->name == NULL)
            return true;
        row = sized_next(row);
    }
    return error_set(error, "bad_parameter", "more than %d parameters", PARAM_ROWS_MOST);
}

/* The items of a list's or map's default, which stands as JSON: ["a", "b"] or {"a": "b"}. */
static bool pack_items(const struct param *param, json_t *value, struct buffer *record)
{
    bool list = param->kind == SLUICE_KIND_LIST;
    if (list ? !json_is_array(value) : !json_is_object(value))
        return false;
    params_put_head(record, param->kind, param->name);
    params_put_count(record, (uint32_t)(list ? json_array_size(value) : json_object_size(value)));
    size_t index;
    const char *key;
    json_t *item;
    json_array_foreach(value, index, item)
    {
        if (!json_is_string(item))
            return false;
        params_put_text(record, json_string_value(item), json_string_length(item));
    }
    json_object_foreach(value, key, item)
    {
        if (!json_is_string(item))
            return false;
        params_put_text(record, key, strlen(key));
        params_put_text(record, json_string_value(item), json_string_length(item));
    }
    return true;
}

static bool pack_items_default(const struct param *param, struct buffer *record,
                               struct error *error)
{
    struct error why;
    json_t *value = json_loads(param->def, JSON_REJECT_DUPLICATES, NULL);
    bool packed = pack_items(param, value, record);
    size_t count = json_array_size(value);
    json_decref(value);
    if (!packed)
        return error_set(error, "bad_parameter",
                         "parameter '%s': default is not a JSON %s of strings", param->name,
                         param_kind_word(param->kind));
    return param_admits_items(param, count, &why) ||
           error_set(error, "bad_parameter", "default: %s", why.message);
}

static bool pack_default(const struct param *param, struct buffer *record, struct error *error)
{
    if (param->kind == SLUICE_KIND_LIST || param->kind == SLUICE_KIND_MAP)
        return pack_items_default(param, record, error);
    struct error why;
    const char *hint;
    struct params_text text = {param->def, (uint32_t)strlen(param->def)};
    return param_pack(param, text, record, &why, &hint) == PARAM_OK ||
           error_set(error, "bad_parameter", "default: %s", why.message);
}

/* The image is filled like any task's struct: from a record with all defaults. */
static bool make_image(struct param_table *table, struct error *error)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].def != NULL && !pack_default(&table->rows[i], &table->defaults, error))
            return false;
    }
    size_t bytes = table->struct_bytes == 0 ? 1 : table->struct_bytes;
    void *blank CLEANUP(cleanup_free) = calloc(1, bytes);
    void *image CLEANUP(cleanup_free) = calloc(1, bytes);
    if (blank == NULL || image == NULL)
        return error_set(error, "no_memory", "out of memory");
    struct param_table optional = *table; /* the same table with nothing filled in or required */
    memset(optional.required, 0, sizeof optional.required);
    optional.one_ofs_count = 0;
    optional.image = blank;
    struct params_text record = {table->defaults.bytes, (uint32_t)table->defaults.length};
    if (!param_table_fill(&optional, record, image, &table->texts, error))
        return false;
    table->image = image;
    image = NULL;
    return true;
}

static bool table_make(struct param_table *table, const struct sluice_param *rows,
                       struct error *error)
{
    size_t count;
    if (!count_rows(rows, &count, error))
        return false;
    table->rows = calloc(count == 0 ? 1 : count, sizeof *table->rows);
    if (table->rows == NULL)
        return error_set(error, "no_memory", "out of memory");
    for (const struct sluice_param *row = rows; row->name != NULL; row = sized_next(row)) {
        if (!add_row(table, row, error))
            return false;
    }
    return param_one_of_init(table, error) && make_image(table, error);
}

bool param_table_init(struct param_table *table, const struct sluice_param *rows,
                      size_t struct_bytes, struct error *error)
{
    memset(table, 0, sizeof *table);
    if (rows == NULL)
        return true;
    if (struct_bytes > PARAM_STRUCT_MOST_BYTES)
        return error_set(error, "bad_descriptor", "params_size is %zu, allowed is %d", struct_bytes,
                         PARAM_STRUCT_MOST_BYTES);
    arena_init(&table->texts, TEXTS_BLOCK_BYTES, TEXTS_MOST_BYTES);
    table->struct_bytes = struct_bytes;
    if (table_make(table, rows, error))
        return true;
    param_table_fini(table);
    return false;
}

void param_table_fini(struct param_table *table)
{
    free(table->rows);
    free(table->one_ofs);
    free(table->image);
    buffer_fini(&table->defaults);
    arena_fini(&table->texts);
    memset(table, 0, sizeof *table);
}

const struct param *param_table_find(const struct param_table *table, const char *name,
                                     size_t length, size_t *next)
{
    size_t first = next == NULL || *next >= table->count ? 0 : *next;
    for (size_t i = 0; i < table->count; i++) {
        size_t at = first + i < table->count ? first + i : first + i - table->count;
        const struct param *row = &table->rows[at];
        if (strncmp(row->name, name, length) != 0 || row->name[length] != '\0')
            continue;
        if (next != NULL)
            *next = at + 1;
        return row;
    }
    return NULL;
}

int param_choice_find(const struct param *param, struct params_text word)
{
    for (int i = 0; param->choices[i] != NULL; i++) {
        if (strncmp(param->choices[i], word.bytes, word.length) == 0 &&
            param->choices[i][word.length] == '\0')
            return i;
    }
    return -1;
}
