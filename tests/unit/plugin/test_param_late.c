#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "plugin/param_late.h"

struct some_params {
    const char *text;
    int64_t n;
    struct sluice_list list;
    struct sluice_map map;
    const char *any;
    int64_t pin;
};

static const char *const words[] = {"red", "succeeded", NULL};

static const struct sluice_param rows[] = {
    SLUICE_STRING(struct some_params, text, .choices = words),
    SLUICE_INT(struct some_params, n, .min = 0, .max = 100),
    SLUICE_LIST(struct some_params, list),
    SLUICE_MAP(struct some_params, map),
    SLUICE_ANY(struct some_params, any),
    SLUICE_INT(struct some_params, pin, .secret = true),
    SLUICE_PARAMS_END,
};

#define REF(name) PARAM_LATE_MARK name PARAM_LATE_MARK

/* Every reference stands for what is behind its colon. */
static const char *find(void *context, const char *reference, struct error *error)
{
    (void)context;
    const char *colon = strchr(reference, ':');
    if (colon != NULL)
        return colon + 1;
    error_set(error, "params_rejected", "no '%s'", reference);
    return NULL;
}

static const struct param_lookup lookup = {.find = find};

static void put_late(struct buffer *record, enum sluice_kind kind, const char *name,
                     const char *text)
{
    size_t head = record->length;
    params_put_head(record, kind, name);
    params_set_late(record, head);
    if (text != NULL)
        params_put_text(record, text, strlen(text));
}

/* Resolves one field and returns the message; empty if it is right. */
static const char *refused(enum sluice_kind kind, const char *name, const char *text)
{
    static struct error error;
    struct param_table table;
    struct buffer record = BUFFER_EMPTY, resolved = BUFFER_EMPTY;
    cr_assert(param_table_init(&table, rows, sizeof(struct some_params), &error));
    put_late(&record, kind, name, text);
    error.message[0] = '\0';
    param_late_resolve(&table, (struct params_text){record.bytes, (uint32_t)record.length}, &lookup,
                       &resolved, &error);
    buffer_fini(&record);
    buffer_fini(&resolved);
    param_table_fini(&table);
    return error.message;
}

Test(param_late, every_kind_is_resolved_and_the_rest_is_copied)
{
    struct param_table table;
    struct some_params params;
    struct error error;
    struct arena arena;
    struct buffer record = BUFFER_EMPTY, resolved = BUFFER_EMPTY;
    cr_assert(param_table_init(&table, rows, sizeof params, &error));
    put_late(&record, SLUICE_KIND_STRING, "text", REF("a:succ") "eeded");
    put_late(&record, SLUICE_KIND_INT, "n", "1" REF("a:2"));
    params_put_head(&record, SLUICE_KIND_MAP, "map");
    params_put_count(&record, 1);
    params_put_text(&record, "k", 1);
    params_put_text(&record, "plain", 5);
    put_late(&record, SLUICE_KIND_LIST, "list", NULL);
    params_put_count(&record, 2);
    params_put_text(&record, "x", 1);
    params_put_text(&record, REF("a:") REF("b:y z"), strlen(REF("a:") REF("b:y z")));
    put_late(&record, SLUICE_KIND_ANY, "any", "{\"a\":[\"" REF("a:\"q\"\n") "\"]}");
    cr_assert(param_late_resolve(&table,
                                 (struct params_text){record.bytes, (uint32_t)record.length},
                                 &lookup, &resolved, &error),
              "%s", error.message);
    arena_init(&arena, 4096, 0);
    cr_assert(param_table_fill(&table,
                               (struct params_text){resolved.bytes, (uint32_t)resolved.length},
                               &params, &arena, &error),
              "%s", error.message);
    cr_assert(eq(str, (char *)params.text, "succeeded"));
    cr_assert(eq(i64, params.n, 12));
    cr_assert(eq(str, (char *)params.map.pairs[0].value, "plain"));
    cr_assert(eq(str, (char *)params.list.items[0], "x"));
    cr_assert(eq(str, (char *)params.list.items[1], "y z"));
    cr_assert(eq(str, (char *)params.any, "{\"a\":[\"\\\"q\\\"\\n\"]}"));
    arena_fini(&arena);
    buffer_fini(&record);
    buffer_fini(&resolved);
    param_table_fini(&table);
}

Test(param_late, what_is_resolved_is_checked_as_if_the_job_file_had_said_it)
{
    cr_assert(eq(str, (char *)refused(SLUICE_KIND_INT, "n", REF("a:x")),
                 "parameter 'n' wants an int, found 'x'"));
    cr_assert(eq(str, (char *)refused(SLUICE_KIND_INT, "n", REF("a:1") "01"),
                 "parameter 'n' is '101', allowed is 0 to 100"));
    cr_assert(eq(str, (char *)refused(SLUICE_KIND_STRING, "text", REF("a:failed")),
                 "parameter 'text' is 'failed', allowed: red, succeeded"));
    cr_assert(eq(str, (char *)refused(SLUICE_KIND_INT, "pin", REF("a:hunter2")),
                 "parameter 'pin' wants an int, found a secret"));
    cr_assert(eq(str, (char *)refused(SLUICE_KIND_ANY, "any", "\"" REF("a:\xff") "\""),
                 "parameter 'any': what is put into JSON is not UTF-8"));
}

Test(param_late, what_a_lookup_or_the_record_does_not_know_is_refused)
{
    cr_assert(eq(str, (char *)refused(SLUICE_KIND_STRING, "text", REF("gone")), "no 'gone'"));
    cr_assert(eq(str, (char *)refused(SLUICE_KIND_STRING, "text", PARAM_LATE_MARK "a:b"),
                 "the packed parameters are damaged"));
    cr_assert(
        eq(str, (char *)refused(SLUICE_KIND_STRING, "test", "x"), "parameter 'test': not known"));
    cr_assert(
        eq(str, (char *)refused(SLUICE_KIND_STRING, "n", "x"), "parameter 'n': has another kind"));
}

Test(param_late, an_unresolved_record_fills_no_struct)
{
    struct param_table table;
    struct some_params params;
    struct error error;
    struct arena arena;
    struct buffer record = BUFFER_EMPTY;
    cr_assert(param_table_init(&table, rows, sizeof params, &error));
    put_late(&record, SLUICE_KIND_STRING, "text", "red");
    arena_init(&arena, 4096, 0);
    cr_assert(
        not(param_table_fill(&table, (struct params_text){record.bytes, (uint32_t)record.length},
                             &params, &arena, &error)));
    cr_assert(eq(str, error.message, "parameter 'text': is not resolved"));
    arena_fini(&arena);
    buffer_fini(&record);
    param_table_fini(&table);
}
