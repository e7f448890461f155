#include "plugin/param_late.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "support/cleanup.h"

struct resolving {
    const struct param_table *table;
    const struct param_lookup *lookup;
    struct params_reader reader;
    struct buffer text; /* the one in hand, resolved */
    struct buffer *resolved;
    struct error *error;
};

static bool refuse(struct resolving *resolving, const char *name, const char *why)
{
    return error_set(resolving->error, "params_rejected", "parameter '%s': %s", name, why);
}

static bool refuse_damage(struct resolving *resolving)
{
    return error_set(resolving->error, "params_rejected", "the packed parameters are damaged");
}

/* Adds a text as the inside of a JSON string. */
static bool put_json(struct buffer *to, const char *text)
{
    json_t *value = json_string(text);
    CLEANUP(cleanup_free) char *json = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    json_decref(value);
    if (json == NULL)
        return false;
    buffer_append(to, json + 1, strlen(json) - 2);
    return true;
}

/* Adds what the reference stands for that begins behind a mark; returns where the text goes on. */
static const char *put_reference(struct resolving *resolving, const struct param *row,
                                 const char *at)
{
    char reference[PARAM_LATE_REFERENCE_MOST_BYTES];
    const char *end = strstr(at, PARAM_LATE_MARK);
    if (end == NULL || (size_t)(end - at) >= sizeof reference) {
        refuse_damage(resolving);
        return NULL;
    }
    memcpy(reference, at, (size_t)(end - at));
    reference[end - at] = '\0';
    const char *text =
        resolving->lookup->find(resolving->lookup->context, reference, resolving->error);
    if (text == NULL)
        return NULL;
    if (row->kind != SLUICE_KIND_ANY) {
        buffer_puts(&resolving->text, text);
    } else if (!put_json(&resolving->text, text)) {
        refuse(resolving, row->name, "what is put into JSON is not UTF-8");
        return NULL;
    }
    return end + strlen(PARAM_LATE_MARK);
}

/* Resolves a text into resolving->text. */
static bool resolve_text(struct resolving *resolving, const struct param *row,
                         struct params_text *text)
{
    const char *at = text->bytes;
    resolving->text.length = 0;
    for (const char *mark; (mark = strstr(at, PARAM_LATE_MARK)) != NULL;) {
        buffer_append(&resolving->text, at, (size_t)(mark - at));
        at = put_reference(resolving, row, mark + strlen(PARAM_LATE_MARK));
        if (at == NULL)
            return false;
        if (resolving->text.length > PARAM_LATE_TEXT_MOST_BYTES)
            return refuse(resolving, row->name, "more than 1 MiB with what is put into it");
    }
    buffer_puts(&resolving->text, at);
    text->bytes = buffer_text(&resolving->text);
    text->length = (uint32_t)resolving->text.length;
    return true;
}

/* Resolves the texts of a list, or the values of a map, whose keys stay as they are. */
static bool resolve_items(struct resolving *resolving, const struct param *row,
                          const struct params_field *field)
{
    params_put_head(resolving->resolved, row->kind, row->name);
    params_put_count(resolving->resolved, field->count);
    for (uint32_t i = 0; i < field->count; i++) {
        struct params_text text;
        if (!params_next_text(&resolving->reader, &text))
            return refuse_damage(resolving);
        if (row->kind == SLUICE_KIND_MAP) {
            params_put_text(resolving->resolved, text.bytes, text.length);
            if (!params_next_text(&resolving->reader, &text))
                return refuse_damage(resolving);
        }
        if (!resolve_text(resolving, row, &text))
            return false;
        params_put_text(resolving->resolved, text.bytes, text.length);
    }
    return true;
}

static bool resolve_field(struct resolving *resolving, const struct params_field *field)
{
    const struct param *row =
        param_table_find(resolving->table, field->name.bytes, field->name.length, NULL);
    struct params_text text = field->text;
    const char *nearest;
    if (row == NULL)
        return refuse(resolving, field->name.bytes, "not known");
    if (row->kind != field->kind)
        return refuse(resolving, row->name, "has another kind");
    if (row->kind == SLUICE_KIND_LIST || row->kind == SLUICE_KIND_MAP)
        return resolve_items(resolving, row, field);
    return resolve_text(resolving, row, &text) &&
           param_pack(row, text, resolving->resolved, resolving->error, &nearest) == PARAM_OK;
}

/* Copies a field that has nothing to be resolved, from its first byte on. */
static bool copy_field(struct resolving *resolving, const unsigned char *from,
                       const struct params_field *field)
{
    uint64_t texts = 0;
    if (field->kind == SLUICE_KIND_LIST || field->kind == SLUICE_KIND_MAP)
        texts = (uint64_t)field->count * (field->kind == SLUICE_KIND_MAP ? 2 : 1);
    for (; texts > 0; texts--) {
        struct params_text text;
        if (!params_next_text(&resolving->reader, &text))
            return refuse_damage(resolving);
    }
    buffer_append(resolving->resolved, from, (size_t)(resolving->reader.at - from));
    return true;
}

bool param_late_resolve(const struct param_table *table, struct params_text record,
                        const struct param_lookup *lookup, struct buffer *resolved,
                        struct error *error)
{
    struct resolving resolving = {
        .table = table, .lookup = lookup, .resolved = resolved, .error = error};
    struct params_field field;
    bool right = true;
    params_begin(&resolving.reader, record.bytes, record.length);
    for (const unsigned char *from = resolving.reader.at;
         right && params_next(&resolving.reader, &field); from = resolving.reader.at)
        right =
            field.late ? resolve_field(&resolving, &field) : copy_field(&resolving, from, &field);
    if (right && resolving.reader.at != resolving.reader.end)
        right = refuse_damage(&resolving);
    buffer_fini(&resolving.text);
    return right;
}
