#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "accept/job_file/job_vars.h"
#include "fake_registry.h"
#include "read_job.h"
#include "support/arena.h"
#include "support/clock.h"

/* Reads a text that is right. */
static void read_right(struct read_job *read, const char *text)
{
    read_job_text(read, text);
    cr_assert(read->right, "%s", read_job_errors(read));
}

/* Reads one task of type `full` with these params below a few vars. */
static void read_full(struct read_job *read, const char *params, struct full_params *full,
                      struct arena *arena)
{
    struct error error;
    char text[1024];
    snprintf(text, sizeof text,
             "version: 1\nvars: {a: x, n: 7, two: \"${vars.a}${vars.n}\", e: ''}\n"
             "tasks:\n  - type: full\n    params: {%s}\n",
             params);
    read_right(read, text);
    const struct task *task = read_job_task(read, 0);
    arena_init(arena, 4096, 0);
    cr_assert(param_table_fill(&fake_offer("full")->params,
                               (struct params_text){task->params, task->params_bytes}, full, arena,
                               &error),
              "%s", error.message);
}

Test(job_vars, stand_in_every_kind_of_parameter)
{
    struct read_job read;
    struct full_params full;
    struct arena arena;
    read_full(&read,
              "text: \"${vars.two}.\", list: [\"${vars.a}\", b, '${vars.e}'], "
              "map: {\"${vars.a}\": \"<${vars.n}>\"}",
              &full, &arena);
    cr_assert(eq(str, (char *)full.text, "x7."));
    cr_assert(eq(str, (char *)full.list.items[0], "x"));
    cr_assert(eq(str, (char *)full.list.items[2], ""));
    cr_assert(eq(str, (char *)full.map.pairs[0].key, "${vars.a}"), "keys are taken as they are");
    cr_assert(eq(str, (char *)full.map.pairs[0].value, "<7>"));
    arena_fini(&arena);
    read_job_fini(&read);
}

Test(job_vars, in_json_what_is_not_quoted_is_read_after_substitution)
{
    static const char *const pairs[][2] = {
        {"[\"${vars.n}\", \"${vars.a}\"]", "[\"7\",\"x\"]"},
        {"\n      n: ${vars.n}\n      t: ${vars.n}${vars.a}\n      e: ${vars.e}\n    ",
         "{\"n\":7,\"t\":\"7x\",\"e\":\"\"}"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct read_job read;
        struct error error;
        struct full_params full;
        struct arena arena;
        char text[512];
        snprintf(text, sizeof text,
                 "version: 1\nvars: {a: x, n: 7, e: ''}\ntasks:\n- type: full\n  params:\n"
                 "    any: %s\n",
                 pairs[i][0]);
        read_right(&read, text);
        const struct task *task = read_job_task(&read, 0);
        arena_init(&arena, 4096, 0);
        cr_assert(param_table_fill(&fake_offer("full")->params,
                                   (struct params_text){task->params, task->params_bytes}, &full,
                                   &arena, &error));
        cr_assert(eq(str, (char *)full.any, (char *)pairs[i][1]));
        arena_fini(&arena);
        read_job_fini(&read);
    }
}

Test(job_vars, stand_in_the_fields_of_tasks_and_defaults)
{
    struct read_job read;
    read_right(&read, "version: 1\n"
                      "defaults: {timeout: \"${vars.n}m\", labels: {zone: \"${vars.z}\"}}\n"
                      "name: \"job-${vars.n}\"\n"
                      "tasks:\n"
                      "  - {id: \"t${vars.n}\", type: \"${vars.type}\", priority: \"${vars.n}\",\n"
                      "     weight: \"${vars.auto}\", delay: \"${vars.n}s\"}\n"
                      "vars: {n: 5, z: east, type: noop, auto: auto}\n");
    const struct task *task = read_job_task(&read, 0);
    cr_assert(eq(str, read.job->name, "job-5"));
    cr_assert(eq(str, (char *)task->id, "t5"));
    cr_assert(eq(i64, task->timeout_ns, 5 * 60 * NS_PER_S));
    cr_assert(eq(i64, task->due_ns, 5 * NS_PER_S));
    cr_assert(eq(i32, task->priority, 5));
    cr_assert(eq(i32, task->weight, TASK_WEIGHT_AUTO));
    cr_assert(eq(str, (char *)task->labels->pairs[0].value, "east"));
    read_job_fini(&read);
}

Test(job_vars, that_a_broken_file_may_still_have_are_not_reported)
{
    struct read_job read;
    read_job_text(&read, "version: 1\ntasks: [{type: noop, id: \"${vars.x}\"}\nvars: {x: y}\n");
    cr_assert(eq(sz, read.diagnostics.found_count, 1), "%s", read_job_errors(&read));
    cr_assert(eq(str, (char *)read.diagnostics.kept[0].code, "syntax"));
    read_job_fini(&read);
}

Test(job_vars, what_is_put_in_is_not_looked_through_again)
{
    struct read_job read;
    read_right(&read, "version: 1\nvars: {a: \"$${vars.b}\", b: \"${vars.a}$\"}\n"
                      "tasks: [{type: noop, labels: {x: \"${vars.b}{vars.a}\"}}]\n");
    cr_assert(
        eq(str, (char *)read_job_task(&read, 0)->labels->pairs[0].value, "${vars.b}${vars.a}"));
    read_job_fini(&read);
}

Test(job_vars, one_that_is_wrong_is_reported_where_it_stands_and_not_where_it_is_used)
{
    struct read_job read;
    read_job_text(&read,
                  "version: 1\nvars: {a: [], b: \"${vars.a}\"}\n"
                  "tasks: [{type: noop, params: {n: \"${vars.a}\"}, timeout: \"${vars.b}\"}]\n");
    cr_assert(eq(str, (char *)read_job_errors(&read),
                 "2:11+1 wrong_type var 'a' wants a text or number, found a list\n"));
    read_job_fini(&read);
}

Test(job_vars, a_merged_map_gives_what_is_not_there)
{
    struct read_job read;
    read_right(&read, "version: 1\n"
                      "defaults: {labels: &more {a: 1, b: 2}}\n"
                      "vars: {b: 3, <<: *more}\n"
                      "tasks: [{type: noop, labels: {sum: \"${vars.a}${vars.b}\"}}]\n");
    cr_assert(eq(str, (char *)read_job_task(&read, 0)->labels->pairs[2].value, "13"));
    read_job_fini(&read);
}

Test(job_vars, an_error_in_a_text_with_escapes_has_the_place_of_the_text)
{
    struct read_job read;
    read_job_text(&read,
                  "version: 1\ntasks:\n"
                  "  - {type: noop, labels: {a: \"\\t${x}\", b: 'y${x}', c: \"ü${x}\"}}\n"
                  "  - type: noop\n    labels:\n      d: |\n        ${x}\n      e: a ${x}\n");
    const char *hint =
        " = there are ${vars.}, ${env.}, ${each.} and ${tasks.}; '$${' is a literal '${'\n";
    char expected[1024];
    snprintf(expected, sizeof expected,
             "3:30+8 substitution '${x}' is not known%s"
             "3:45+4 substitution '${x}' is not known%s"
             "3:57+4 substitution '${x}' is not known%s"
             "6:10+65535 substitution '${x}' is not known%s"
             "8:12+4 substitution '${x}' is not known%s",
             hint, hint, hint, hint, hint);
    cr_assert(eq(str, (char *)read_job_errors(&read), expected));
    read_job_fini(&read);
}

Test(job_vars, a_job_has_a_limited_number_of_them)
{
    struct buffer text = BUFFER_EMPTY;
    struct read_job read;
    buffer_puts(&text, "version: 1\nvars:\n");
    for (int i = 0; i <= JOB_FILE_VARS_MOST; i++)
        buffer_printf(&text, "  v%d: x\n", i);
    buffer_puts(&text, "tasks: [{type: noop}]\n");
    read_job_text(&read, buffer_text(&text));
    cr_assert(eq(sz, read.diagnostics.found_count, 1));
    cr_assert(eq(u32, read.diagnostics.kept[0].place.line, JOB_FILE_VARS_MOST + 3));
    read_job_fini(&read);
    buffer_fini(&text);
}
