/* param_fill: from a packed record to a plugin's struct; every task goes through here. */
#include <string.h>

#include "plugin/param_one_of.h"
#include "support/cleanup.h"

enum { TEXT_LEAST_BYTES = 5 }; /* of a text in a record: its length and a NUL */

struct fill {
    const struct param_table *table;
    struct params_reader reader;
    struct arena *arena;
    size_t next; /* the row behind the last that was found */
    uint64_t seen[PARAM_ROWS_MOST / 64];
};

static bool refuse(struct error *error, const struct param *row, const char *why)
{
    return error_set(error, "params_rejected", "parameter '%s': %s", row->name, why);
}

static bool refuse_damage(struct error *error)
{
    return error_set(error, "params_rejected", "the packed parameters are damaged");
}

/* Memory for as many items as the rest of the record can really hold. */
static void *items_alloc(const struct fill *fill, uint32_t count, size_t item_bytes)
{
    size_t left = (size_t)(fill->reader.end - fill->reader.at);
    if (count > left / TEXT_LEAST_BYTES)
        return NULL;
    return arena_alloc(fill->arena, (count == 0 ? 1 : count) * item_bytes, _Alignof(char *));
}

static bool fill_list(struct fill *fill, uint32_t count, void *place, struct error *error)
{
    const char **items = items_alloc(fill, count, sizeof *items);
    if (items == NULL)
        return refuse_damage(error);
    for (uint32_t i = 0; i < count; i++) {
        struct params_text text;
        if (!params_next_text(&fill->reader, &text))
            return refuse_damage(error);
        items[i] = text.bytes;
    }
    memcpy(place, &(struct sluice_list){count, items}, sizeof(struct sluice_list));
    return true;
}

static bool fill_map(struct fill *fill, uint32_t count, void *place, struct error *error)
{
    struct sluice_pair *pairs = items_alloc(fill, count, sizeof *pairs);
    if (pairs == NULL)
        return refuse_damage(error);
    for (uint32_t i = 0; i < count; i++) {
        struct params_text key, value;
        if (!params_next_text(&fill->reader, &key) || !params_next_text(&fill->reader, &value))
            return refuse_damage(error);
        pairs[i] = (struct sluice_pair){key.bytes, value.bytes};
    }
    memcpy(place, &(struct sluice_map){count, pairs}, sizeof(struct sluice_map));
    return true;
}

static bool fill_int(const struct param *row, int64_t value, void *place, struct error *error)
{
    if (!param_admits_int(row, value))
        return refuse(error, row, "out of range");
    memcpy(place, &value, sizeof value);
    return true;
}

static bool fill_float(const struct param *row, double value, void *place, struct error *error)
{
    if (!param_admits_float(row, value))
        return refuse(error, row, "out of range");
    memcpy(place, &value, sizeof value);
    return true;
}

static bool fill_text(const struct param *row, struct params_text text, void *place,
                      struct error *error)
{
    int choice = row->choices == NULL ? 0 : param_choice_find(row, text);
    if (choice < 0)
        return refuse(error, row, "not one of its choices");
    if (row->kind == SLUICE_KIND_ENUM)
        memcpy(place, &choice, sizeof choice);
    else
        memcpy(place, &text.bytes, sizeof text.bytes);
    return true;
}

static bool fill_field(struct fill *fill, const struct param *row, const struct params_field *field,
                       void *place, struct error *error)
{
    switch (field->kind) {
    case SLUICE_KIND_BOOL:
        memcpy(place, &field->boolean, sizeof field->boolean);
        return true;
    case SLUICE_KIND_INT:
    case SLUICE_KIND_DURATION:
        return fill_int(row, field->integer, place, error);
    case SLUICE_KIND_SIZE:
        return field->size <= INT64_MAX ? fill_int(row, (int64_t)field->size, place, error)
                                        : refuse(error, row, "out of range");
    case SLUICE_KIND_FLOAT:
        return fill_float(row, field->real, place, error);
    case SLUICE_KIND_STRING:
    case SLUICE_KIND_ENUM:
    case SLUICE_KIND_ANY:
        return fill_text(row, field->text, place, error);
    case SLUICE_KIND_LIST:
        return param_admits_items(row, field->count, error) &&
               fill_list(fill, field->count, place, error);
    case SLUICE_KIND_MAP:
        return fill_map(fill, field->count, place, error);
    }
    return refuse_damage(error);
}

static bool mark_seen(struct fill *fill, const struct param *row)
{
    size_t index = (size_t)(row - fill->table->rows);
    uint64_t bit = UINT64_C(1) << (index % 64);
    if ((fill->seen[index / 64] & bit) != 0)
        return false;
    fill->seen[index / 64] |= bit;
    return true;
}

/* Reads the next field and finds its row; NULL with a message if the table has no such row. */
static const struct param *search_row(struct fill *fill, struct params_field *field,
                                      struct error *error)
{
    if (!params_next(&fill->reader, field)) {
        refuse_damage(error);
        return NULL;
    }
    const struct param *row =
        param_table_find(fill->table, field->name.bytes, field->name.length, &fill->next);
    if (row == NULL) {
        error_set(error, "params_rejected", "unknown parameter '%s'", field->name.bytes);
        return NULL;
    }
    if (row->kind != field->kind || field->late) {
        refuse(error, row, field->late ? "is not resolved" : "has another kind");
        return NULL;
    }
    return row;
}

/* The same. The fields of a record mostly stand in the order of the table: then the row's head, as
 * it would stand in a record, is compared as a whole instead of taking the field's apart, which
 * saves a third of the filling. */
static const struct param *next_row(struct fill *fill, struct params_field *field,
                                    struct error *error)
{
    if (fill->next < fill->table->count) {
        const struct param *row = &fill->table->rows[fill->next];
        if (params_next_of(&fill->reader, row->head, field)) {
            fill->next++;
            return row;
        }
    }
    return search_row(fill, field, error);
}

static bool check_required(const struct fill *fill, struct error *error)
{
    for (size_t word = 0; word * 64 < fill->table->count; word++) {
        uint64_t missing = fill->table->required[word] & ~fill->seen[word];
        if (missing != 0) {
            size_t index = word * 64 + (size_t)__builtin_ctzll(missing);
            return refuse(error, &fill->table->rows[index], "missing");
        }
    }
    return true;
}

static bool refuse_one_of(const struct fill *fill, enum param_one_of_answer answer, size_t wrong,
                          struct error *error)
{
    CLEANUP(buffer_fini) struct buffer names = BUFFER_EMPTY;
    param_one_of_names(fill->table, wrong, &names);
    return error_set(error, "params_rejected",
                     answer == PARAM_ONE_OF_MISSING ? "parameters %s: one is missing"
                                                    : "parameters %s exclude each other",
                     buffer_text(&names));
}

static bool check_one_of(const struct fill *fill, struct error *error)
{
    size_t wrong;
    if (fill->table->one_ofs_count == 0)
        return true;
    enum param_one_of_answer answer = param_one_of_check(fill->table, fill->seen, &wrong);
    return answer == PARAM_ONE_OF_RIGHT || refuse_one_of(fill, answer, wrong, error);
}

bool param_table_fill(const struct param_table *table, struct params_text record, void *params,
                      struct arena *arena, struct error *error)
{
    if (table->count == 0 && record.length == 0)
        return true;
    struct fill fill = {.table = table, .arena = arena};
    struct params_field field;
    if (table->count != 0)
        memcpy(params, table->image, table->struct_bytes);
    params_begin(&fill.reader, record.bytes, record.length);
    while (fill.reader.at != fill.reader.end) {
        const struct param *row = next_row(&fill, &field, error);
        if (row == NULL)
            return false;
        if (!mark_seen(&fill, row))
            return refuse(error, row, "stands twice");
        if (!fill_field(&fill, row, &field, (unsigned char *)params + row->offset, error))
            return false;
    }
    return check_required(&fill, error) && check_one_of(&fill, error);
}
