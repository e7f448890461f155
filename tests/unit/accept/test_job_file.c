#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_registry.h"
#include "read_job.h"
#include "support/arena.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/clock.h"

/* Reads a text that is right. */
static void read_right(struct read_job *read, const char *text)
{
    read_job_text(read, text);
    cr_assert(read->right, "%s", read_job_errors(read));
}

Test(job_file, reads_a_task_with_every_field)
{
    struct read_job read;
    read_right(&read, "version: 1\n"
                      "name: nightly\n"
                      "fail_fast: true\n"
                      "max_weight: 50\n"
                      "tasks:\n"
                      "  - {id: a, type: noop, params: {n: 1}, labels: {b: 2, a: x},\n"
                      "     priority: 5, weight: 0x10, timeout: 1m30s, delay: 2s}\n");
    const struct task *task = read_job_task(&read, 0);
    cr_assert(eq(str, read.job->name, "nightly"));
    cr_assert(read.job->fail_fast);
    cr_assert(eq(i32, read.job->max_weight, 50));
    cr_assert(eq(u32, read.job->tasks_count, 1));
    cr_assert(eq(str, (char *)task->id, "a"));
    cr_assert(eq(str, (char *)task->type->name, "noop"));
    cr_assert(eq(i32, task->priority, 5));
    cr_assert(eq(i32, task->weight, 16));
    cr_assert(eq(i64, task->timeout_ns, 90 * NS_PER_S));
    cr_assert(eq(i64, task->due_ns, 2 * NS_PER_S));
    cr_assert(eq(u32, task->line, 6));
    cr_assert(eq(sz, task->labels->count, 2));
    cr_assert(eq(str, (char *)task->labels->pairs[0].key, "a"));
    cr_assert(eq(str, (char *)task->labels->pairs[1].value, "2"));
    read_job_fini(&read);
}

Test(job_file, ids_that_are_not_given_count_from_one_behind_the_type)
{
    struct read_job read;
    read_right(
        &read,
        "version: 1\ntasks:\n  - {type: noop}\n  - {id: x, type: noop}\n  - {type: heavy}\n");
    cr_assert(eq(str, (char *)read_job_task(&read, 0)->id, "noop-1"));
    cr_assert(eq(str, (char *)read_job_task(&read, 2)->id, "heavy-3"));
    read_job_fini(&read);
}

Test(job_file, what_a_task_leaves_out_comes_from_defaults_then_the_type_then_the_host)
{
    struct read_job read;
    read_right(&read, "version: 1\n"
                      "defaults: {priority: 3, labels: {region: sh, disk: ssd}}\n"
                      "tasks:\n"
                      "  - {type: heavy, labels: {region: bj}}\n"
                      "  - {type: noop, priority: 0, weight: auto}\n");
    const struct task *heavy = read_job_task(&read, 0), *noop = read_job_task(&read, 1);
    cr_assert(eq(i32, heavy->priority, 3));
    cr_assert(eq(i32, heavy->weight, 60));
    cr_assert(eq(i64, heavy->timeout_ns, 5));
    cr_assert(eq(str, (char *)heavy->labels->pairs[0].value, "ssd"));
    cr_assert(eq(str, (char *)heavy->labels->pairs[1].value, "bj"));
    cr_assert(eq(i32, noop->priority, 0));
    cr_assert(eq(i32, noop->weight, TASK_WEIGHT_AUTO));
    cr_assert(eq(i64, noop->timeout_ns, 3600 * NS_PER_S));
    cr_assert(eq(str, (char *)noop->labels->pairs[1].value, "sh"));
    read_job_fini(&read);
}

Test(job_file, defaults_behind_the_tasks_hold_as_well)
{
    struct read_job read;
    read_right(&read, "tasks: [{type: noop}]\ndefaults: {priority: 9}\nversion: 1\n");
    cr_assert(eq(i32, read_job_task(&read, 0)->priority, 9));
    cr_assert(eq(u32, read.job->tasks_count, 1));
    read_job_fini(&read);
}

Test(job_file, params_may_stand_before_the_type)
{
    struct read_job read;
    read_right(&read,
               "version: 1\ntasks:\n  - params: {what: x}\n    type: need\n  - {type: noop}\n");
    cr_assert(gt(u32, read_job_task(&read, 0)->params_bytes, 0));
    read_job_fini(&read);
}

Test(job_file, all_errors_are_reported_in_one_go)
{
    struct read_job read;
    read_job_text(&read, "version: 1\ntasks:\n  - {type: nop}\n  - {type: noop, weight: 101}\n"
                         "  - {type: noop, params: {m: 1}}\n");
    cr_assert(not(read.right));
    cr_assert(eq(sz, read.diagnostics.found_count, 3), "%s", read_job_errors(&read));
    read_job_fini(&read);
}

/* Fills the struct of type `full` as a worker would. */
static void fill(const struct task *task, struct full_params *params, struct arena *arena)
{
    struct error error;
    struct params_text record = {task->params, task->params_bytes};
    arena_init(arena, 4096, 0);
    cr_assert(param_table_fill(&fake_offer("full")->params, record, params, arena, &error), "%s",
              error.message);
}

/* Reads one task of type `full` with these params. */
static void read_full(struct read_job *read, const char *params, struct full_params *full,
                      struct arena *arena)
{
    char text[2048];
    snprintf(text, sizeof text, "version: 1\ntasks:\n  - type: full\n    params: {%s}\n", params);
    read_right(read, text);
    fill(read_job_task(read, 0), full, arena);
}

Test(job_file, each_kind_of_parameter_arrives_as_it_is_meant)
{
    struct full_params full;
    struct arena arena;
    struct read_job read;
    read_full(&read,
              "flag: true, number: 0x0a, real: 2.5e-1, text: hello,"
              "span: 1h30m, size: 64KiB, colour: blue,"
              "list: [a, 'b c', 3], map: {k: v, l: w}",
              &full, &arena);
    cr_assert(full.flag);
    cr_assert(eq(i64, full.number, 10));
    cr_assert(eq(dbl, full.real, 0.25));
    cr_assert(eq(str, (char *)full.text, "hello"));
    cr_assert(eq(i64, full.span, 5400 * NS_PER_S));
    cr_assert(eq(u64, full.size, 65536));
    cr_assert(eq(i32, full.colour, 2));
    cr_assert(eq(sz, full.list.count, 3));
    cr_assert(eq(str, (char *)full.list.items[1], "b c"));
    cr_assert(eq(str, (char *)full.list.items[2], "3"));
    cr_assert(eq(sz, full.map.count, 2));
    cr_assert(eq(str, (char *)full.map.pairs[1].value, "w"));
    arena_fini(&arena);
    read_job_fini(&read);
}

Test(job_file, a_string_takes_any_plain_scalar_as_it_is_written)
{
    static const char *const words[] = {"no",         "yes",   "null", "~",    "1:30",
                                        "0x10",       "1_000", "007",  "1.50", "true",
                                        "2020-01-01", "=",     ".inf", "+1"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct full_params full;
        struct arena arena;
        char params[64];
        snprintf(params, sizeof params, "text: %s, list: [%s], map: {k: %s}", words[i], words[i],
                 words[i]);
        struct read_job read;
        read_full(&read, params, &full, &arena);
        cr_assert(eq(str, (char *)full.text, (char *)words[i]));
        cr_assert(eq(str, (char *)full.list.items[0], (char *)words[i]));
        cr_assert(eq(str, (char *)full.map.pairs[0].value, (char *)words[i]));
        arena_fini(&arena);
        read_job_fini(&read);
    }
}

Test(job_file, any_is_json_with_plain_scalars_by_their_look)
{
    static const char *const pairs[][2] = {
        {"{a: [1, 2.5, -3e2, 0x10], b: {c: null, d: ~, e: }}",
         "{\"a\":[1,2.5,-300.0,16],\"b\":{\"c\":null,\"d\":null,\"e\":null}}"},
        {"[true, false, yes, 'true', \"1\", 1.2.3, -]",
         "[true,false,\"yes\",\"true\",\"1\",\"1.2.3\",\"-\"]"},
        {"null", "null"},
        {"text", "\"text\""},
        {"12", "12"},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"'$${x}'", "\"${x}\""},
        {"[]", "[]"},
        {"{}", "{}"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct full_params full;
        struct arena arena;
        char params[128];
        snprintf(params, sizeof params, "any: %s", pairs[i][0]);
        struct read_job read;
        read_full(&read, params, &full, &arena);
        cr_assert(eq(str, (char *)full.any, (char *)pairs[i][1]));
        arena_fini(&arena);
        read_job_fini(&read);
    }
}

Test(job_file, two_dollars_before_a_brace_stand_for_one)
{
    struct full_params full;
    struct arena arena;
    struct read_job read;
    read_full(&read, "text: \"$${a} $$${b} $5 $$ $\", list: [\"a$${\"]", &full, &arena);
    cr_assert(eq(str, (char *)full.text, "${a} $${b} $5 $$ $"));
    cr_assert(eq(str, (char *)full.list.items[0], "a${"));
    arena_fini(&arena);
    read_job_fini(&read);
}

Test(job_file, json_is_a_job_file)
{
    struct read_job read;
    read_right(&read, "{\"version\": 1, \"name\": \"j\\u00e4\", \"tasks\": [\n"
                      "\t{\"id\": \"a\", \"type\": \"noop\", \"params\": {\"n\": 1},\n"
                      "\t \"timeout\": \"30s\", \"weight\": \"auto\"}]}\n");
    cr_assert(eq(str, read.job->name, "j\xc3\xa4"));
    cr_assert(eq(i64, read_job_task(&read, 0)->timeout_ns, 30 * NS_PER_S));
    read_job_fini(&read);
}

Test(job_file, a_merged_task_keeps_its_own_keys_and_takes_the_others)
{
    struct read_job read;
    read_right(&read, "version: 1\ntasks:\n"
                      "  - &base {type: noop, params: {n: 1}, priority: 5, weight: 2}\n"
                      "  - {priority: 7, <<: *base, id: b}\n"
                      "  - {<<: [{weight: 3}, *base], id: c}\n");
    const struct task *b = read_job_task(&read, 1), *c = read_job_task(&read, 2);
    cr_assert(eq(i32, b->priority, 7));
    cr_assert(eq(i32, b->weight, 2));
    cr_assert(eq(u32, b->params_bytes, read_job_task(&read, 0)->params_bytes));
    cr_assert(eq(i32, c->weight, 3));
    cr_assert(eq(i32, c->priority, 5));
    read_job_fini(&read);
}

Test(job_file, params_before_the_type_may_be_an_alias)
{
    struct full_params full;
    struct arena arena;
    struct read_job read;
    read_right(&read, "version: 1\ntasks:\n"
                      "  - {type: full, params: &p {text: x, list: &l [1, 2]}}\n"
                      "  - {params: *p, type: full}\n"
                      "  - {params: {list: *l, <<: *p, text: y}, type: full}\n");
    fill(read_job_task(&read, 1), &full, &arena);
    cr_assert(eq(str, (char *)full.text, "x"));
    arena_fini(&arena);
    fill(read_job_task(&read, 2), &full, &arena);
    cr_assert(eq(str, (char *)full.text, "y"));
    cr_assert(eq(sz, full.list.count, 2));
    arena_fini(&arena);
    read_job_fini(&read);
}

Test(job_file, a_surrogate_pair_is_whole_wherever_the_reading_cuts)
{
    char *text = malloc(40000);
    for (int pad = 16300; pad < 16420; pad++) {
        struct full_params full;
        struct arena arena;
        snprintf(text, 40000,
                 "version: 1\n#%*s\ntasks: [{type: full, params: {text: \"\\ud83d\\ude00\"}}]\n",
                 pad, "");
        struct read_job read;
        read_right(&read, text);
        fill(read_job_task(&read, 0), &full, &arena);
        cr_assert(eq(str, (char *)full.text, "\xf0\x9f\x98\x80"));
        arena_fini(&arena);
        read_job_fini(&read);
    }
    free(text);
}

Test(job_file, a_job_of_many_chunks_keeps_its_order)
{
    struct buffer text = BUFFER_EMPTY;
    buffer_puts(&text, "version: 1\ntasks:\n");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&text, "  - {id: t%d, type: noop, params: {n: %d}}\n", i, i);
    struct read_job read;
    read_right(&read, buffer_text(&text));
    cr_assert(eq(u32, read.job->tasks_count, 1000));
    for (size_t i = 0; i < 1000; i++) {
        const struct task *task = read_job_task(&read, i);
        cr_assert(eq(u32, task->number, (uint32_t)i));
        cr_assert(eq(u32, task->line, (uint32_t)i + 3));
    }
    read_job_fini(&read);
    buffer_fini(&text);
}

Test(job_file, a_wrong_task_does_not_hide_that_its_id_is_taken)
{
    struct read_job read;
    read_job_text(&read, "version: 1\ntasks:\n  - {id: a, type: nop}\n  - {id: a, type: noop}\n");
    cr_assert(eq(str, (char *)read_job_errors(&read),
                 "3:19+3 unknown_type no plugin has the task type 'nop' = did you mean 'noop'?\n"
                 "4:10+1 duplicate_id id 'a' is taken by the task in line 3\n"));
    read_job_fini(&read);
}

Test(job_file, each_unknown_task_is_reported_however_many_tasks_there_are)
{
    enum { TASKS = 600, UNKNOWN = 50 };
    struct read_job read;
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    buffer_puts(&text, "version: 1\ntasks:\n");
    for (int i = 0; i < TASKS; i++)
        buffer_printf(&text, "  - {id: t%d, type: noop}\n", i);
    buffer_puts(&text, "  - {type: noop, needs: [");
    for (int i = 0; i < UNKNOWN; i++)
        buffer_printf(&text, "u%d, ", i);
    buffer_puts(&text, "t0]}\n");
    read_job_text(&read, buffer_text(&text));
    cr_assert(eq(sz, read.diagnostics.found_count, UNKNOWN), "%s", read_job_errors(&read));
    read_job_fini(&read);
}

Test(job_file, an_error_in_what_aliases_stand_for_is_reported_once)
{
    struct read_job read;
    read_job_text(&read, "version: 1\ntasks:\n  - &a {type: nop}\n  - {<<: *a}\n  - {<<: *a}\n");
    cr_assert(eq(sz, read.diagnostics.found_count, 1), "%s", read_job_errors(&read));
    read_job_fini(&read);
}

Test(job_file, a_task_that_uses_an_alias_of_a_wrong_node_is_wrong_and_nothing_more_is_said)
{
    struct read_job read;
    read_job_text(&read, "version: 1\n"
                         "tasks:\n"
                         "  - {type: &n !x noop}\n"
                         "  - {type: *n}\n"
                         "  - {id: a, type: *n}\n");
    cr_assert(not(read.right));
    cr_assert(eq(sz, read.diagnostics.found_count, 1));
    cr_assert(eq(u32, read.diagnostics.kept[0].place.line, 3));
    read_job_fini(&read);
}

Test(job_file, a_weight_above_a_late_max_weight_is_seen)
{
    struct read_job read;
    read_job_text(&read, "version: 1\ntasks:\n  - {type: noop, weight: 11}\n"
                         "  - {type: heavy}\nmax_weight: 10\n");
    cr_assert(eq(str, (char *)read_job_errors(&read),
                 "3:26+2 out_of_range weight 11 is above the max_weight of this job, 10\n"
                 "4:12+5 out_of_range weight 60 is above the max_weight of this job, 10\n"));
    read_job_fini(&read);
}

Test(job_file, errors_before_a_syntax_error_are_reported_with_it)
{
    struct read_job read;
    read_job_text(&read, "version: 1\ntasks:\n  - {type: nop}\n  - {type: noop]\n  - {type: x}\n");
    cr_assert(eq(sz, read.diagnostics.found_count, 2), "%s", read_job_errors(&read));
    cr_assert(eq(str, (char *)read.diagnostics.kept[1].code, "syntax"));
    read_job_fini(&read);
}

Test(job_file, tasks_without_labels_of_their_own_share_those_of_defaults_in_each_chunk)
{
    struct read_job read;
    struct buffer text = BUFFER_EMPTY;
    buffer_puts(&text, "version: 1\ndefaults: {labels: {b: 1, a: 2}}\ntasks:\n");
    for (int i = 0; i < CHUNK_TASKS + 2; i++)
        buffer_puts(&text, i == 1 ? "  - {type: noop, labels: {a: 3}}\n" : "  - {type: noop}\n");
    read_right(&read, buffer_text(&text));
    const struct sluice_map *first = read_job_task(&read, 0)->labels;
    cr_assert(eq(ptr, (void *)read_job_task(&read, 2)->labels, (void *)first));
    cr_assert(eq(str, (char *)read_job_task(&read, 1)->labels->pairs[0].value, "3"));
    const struct sluice_map *second = read_job_task(&read, CHUNK_TASKS)->labels;
    cr_assert(ne(ptr, (void *)second, (void *)first));
    cr_assert(eq(str, (char *)second->pairs[0].key, "a"));
    cr_assert(eq(ptr, (void *)read_job_task(&read, CHUNK_TASKS + 1)->labels, (void *)second));
    read_job_fini(&read);
    buffer_fini(&text);
}

Test(job_file, a_line_separator_is_found_wherever_the_reading_cuts)
{
    char *text = malloc(40000);
    for (int pad = 16340; pad < 16400; pad++) {
        struct read_job read;
        snprintf(text, 40000, "version: 1\n#%*s\xe2\x80\xa8\ntasks: [{type: noop}]\n", pad, "");
        read_job_text(&read, text);
        cr_assert(eq(sz, read.diagnostics.found_count, 1));
        cr_assert(eq(str, (char *)read.diagnostics.kept[0].code, "encoding"));
        cr_assert(eq(u32, read.diagnostics.kept[0].place.column, (uint32_t)pad + 2));
        read_job_fini(&read);
    }
    free(text);
}
