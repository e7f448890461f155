#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "fake_registry.h"
#include "read_job.h"
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
