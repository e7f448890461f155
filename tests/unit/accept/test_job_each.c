#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "read_job.h"
#include "support/clock.h"

/* Reads a text that is right. */
static void read_right(struct read_job *read, const char *text)
{
    read_job_text(read, text);
    cr_assert(read->right, "%s", read_job_errors(read));
}

/* Returns "id label" of each task, one behind the other; static. */
static const char *tasks_of(const struct read_job *read)
{
    static char text[4096];
    int length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < read->job->tasks_count; i++) {
        const struct task *task = read_job_task(read, i);
        length += snprintf(text + length, sizeof text - (size_t)length, "%s %s, ", task->id,
                           task->labels != NULL ? task->labels->pairs[0].value : "-");
    }
    return text;
}

Test(job_each, makes_a_task_of_every_combination_in_order)
{
    struct read_job read;
    read_right(&read, "version: 1\ntasks:\n"
                      "  - {type: noop, for_each: {a: [x, y], b: ['', \"1 \"]}, "
                      "labels: {l: \"${each.a}${each.b}\"}}\n"
                      "  - {id: last, type: noop}\n");
    cr_assert(eq(str, (char *)tasks_of(&read),
                 "noop-1[0] x, noop-1[1] x1 , noop-1[2] y, noop-1[3] y1 , last -, "));
    cr_assert(eq(u32, read_job_task(&read, 3)->line, 3));
    read_job_fini(&read);
}

Test(job_each, the_order_of_keys_makes_no_difference)
{
    static const char *const keys[] = {"id: t", "type: noop", "for_each: {a: [1, 2]}",
                                       "labels: {l: \"${each.a}\"}", "params: {n: \"${each.a}\"}"};
    for (int turn = 0; turn < 5 * 5; turn++) {
        char text[512];
        int length = snprintf(text, sizeof text, "version: 1\ntasks:\n  - {");
        for (int i = 0; i < 5; i++) {
            int at = (turn % 5 + i * (turn / 5 % 4 + 1)) % 5;
            length += snprintf(text + length, sizeof text - (size_t)length, "%s%s",
                               i > 0 ? ", " : "", keys[at]);
        }
        snprintf(text + length, sizeof text - (size_t)length, "}\n");
        struct read_job read;
        read_right(&read, text);
        cr_assert(eq(str, (char *)tasks_of(&read), "t[0] 1, t[1] 2, "), "%s", text);
        cr_assert(gt(u32, read_job_task(&read, 1)->params_bytes, 0), "%s", text);
        read_job_fini(&read);
    }
}

Test(job_each, what_an_instance_leaves_out_comes_from_defaults)
{
    struct read_job read;
    read_right(&read, "version: 1\ntasks:\n"
                      "  - {type: noop, for_each: {s: [1, 2]}, timeout: \"${each.s}s\"}\n"
                      "  - {type: noop, for_each: {s: [1, 2]}, labels: {b: \"${each.s}\"}}\n"
                      "defaults: {priority: 7, labels: {a: x}, delay: \"${vars.d}\"}\n"
                      "vars: {d: 3s}\n");
    cr_assert(eq(i64, read_job_task(&read, 0)->timeout_ns, NS_PER_S));
    cr_assert(eq(i64, read_job_task(&read, 1)->timeout_ns, 2 * NS_PER_S));
    cr_assert(eq(i32, read_job_task(&read, 1)->priority, 7));
    cr_assert(eq(i64, read_job_task(&read, 1)->due_ns, 3 * NS_PER_S));
    cr_assert(eq(sz, read_job_task(&read, 0)->labels->count, 1));
    cr_assert(eq(sz, read_job_task(&read, 3)->labels->count, 2));
    cr_assert(eq(str, (char *)read_job_task(&read, 3)->labels->pairs[1].value, "2"));
    read_job_fini(&read);
}

Test(job_each, a_merged_task_has_its_own_items)
{
    struct read_job read;
    read_right(&read, "version: 1\ntasks:\n"
                      "  - &base {id: a, type: noop, for_each: {x: &items [1, 2]}, "
                      "labels: &l {l: \"${each.x}\"}}\n"
                      "  - {id: b, <<: *base, for_each: {x: [3]}}\n"
                      "  - {<<: *base, id: c}\n"
                      "  - {id: d, type: noop, labels: *l, for_each: {y: [9], x: *items}}\n");
    cr_assert(eq(str, (char *)tasks_of(&read),
                 "a[0] 1, a[1] 2, b[0] 3, c[0] 1, c[1] 2, d[0] 1, d[1] 2, "));
    read_job_fini(&read);
}

Test(job_each, the_same_error_in_every_instance_is_reported_once)
{
    struct read_job read;
    read_job_text(&read, "version: 1\ntasks:\n"
                         "  - {id: a, type: nop, for_each: {x: [1, 2, 3]}}\n"
                         "  - {id: b, type: need, for_each: {x: [1, 2, 3]}}\n"
                         "  - {id: c, type: noop, for_each: {x: [1, two]}, "
                         "params: {n: \"${each.x}\", m: 1}}\n");
    cr_assert(eq(str, (char *)read_job_errors(&read),
                 "3:19+3 unknown_type no plugin has the task type 'nop' = did you mean 'noop'?\n"
                 "4:19+4 missing_param parameter 'what' of type 'need' is missing\n"
                 "5:62+11 wrong_type parameter 'n' wants an int, found 'two'\n"
                 "5:75+1 unknown_param unknown parameter 'm' for type 'noop' = 'sluice plugin "
                 "info noop' lists them\n"));
    read_job_fini(&read);
}

Test(job_each, is_given_up_when_very_many_instances_are_wrong)
{
    struct buffer text = BUFFER_EMPTY;
    struct read_job read;
    buffer_puts(&text, "version: 1\ntasks:\n  - {type: noop, params: {m: 1}, for_each: {x: [0");
    for (int i = 1; i < 1000; i++)
        buffer_printf(&text, ", %d", i);
    buffer_puts(&text, "]}}\n");
    read_job_text(&read, buffer_text(&text));
    cr_assert(eq(sz, read.diagnostics.found_count, 1));
    cr_assert(eq(u32, read.job->tasks_count, JOB_FILE_WRONG_INSTANCES));
    read_job_fini(&read);
    buffer_fini(&text);
}

Test(job_each, items_of_a_list_are_limited_by_the_job_alone)
{
    struct buffer text = BUFFER_EMPTY;
    struct read_job read;
    buffer_puts(&text, "version: 1\ntasks:\n  - {type: noop, for_each: {x: [0");
    for (int i = 1; i < 100000; i++)
        buffer_printf(&text, ", %d", i);
    buffer_puts(&text, "]}, params: {n: \"${each.x}\"}}\n");
    read_right(&read, buffer_text(&text));
    cr_assert(eq(u32, read.job->tasks_count, 100000));
    cr_assert(eq(str, (char *)read_job_task(&read, 99999)->id, "noop-1[99999]"));
    read_job_fini(&read);
    buffer_fini(&text);
}

Test(job_each, all_of_its_tasks_and_pairs_of_them_are_needed_by_their_names)
{
    struct read_job read;
    read_right(&read, "version: 1\ntasks:\n"
                      "  - {id: z, type: noop, needs: [a]}\n"
                      "  - {id: a, type: noop, for_each: {x: [1, 2]}}\n"
                      "  - {id: b, type: noop, needs: [\"a[*]\"], for_each: {x: [1, 2]}}\n"
                      "  - {id: c, type: noop, needs: [b, \"a[0]\"]}\n");
    const struct graph *graph = read.job->graph;
    cr_assert(eq(sz, graph_of(graph, 0).count, 2));
    cr_assert(eq(u32, graph_of(graph, 0).tasks[1], 2));
    cr_assert(eq(sz, graph_of(graph, 4).count, 1));
    cr_assert(eq(u32, graph_of(graph, 4).tasks[0], 2));
    cr_assert(eq(sz, graph_of(graph, 5).count, 3));
    cr_assert(eq(u32, graph_of(graph, 5).tasks[2], 1));
    read_job_fini(&read);
}

Test(job_each, too_many_needs_are_refused)
{
    struct buffer text = BUFFER_EMPTY;
    struct read_job read;
    buffer_puts(&text, "version: 1\ntasks:\n  - {id: a, type: noop, for_each: {x: &x [0");
    for (int i = 1; i < 20000; i++)
        buffer_printf(&text, ", %d", i);
    buffer_puts(&text, "]}}\n  - {id: b, type: noop, needs: [a], for_each: {x: *x}}\n");
    read_job_text(&read, buffer_text(&text));
    cr_assert(eq(str, (char *)read_job_errors(&read),
                 "4:32+1 too_large the tasks of a job have at most 50000000 needs in all = needs: "
                 "[\"name[*]\"] pairs the tasks of two for_each\n"));
    read_job_fini(&read);
    buffer_fini(&text);
}
