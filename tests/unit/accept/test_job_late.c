#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "accept/late.h"
#include "accept/result_map.h"
#include "read_job.h"

/* Returns the index of the only error's code, or "" if the file is right. */
static const char *code_of(const char *tasks)
{
    static char code[64];
    char text[1024];
    struct read_job read;
    snprintf(text, sizeof text, "version: 1\ntasks:\n%s", tasks);
    read_job_text(&read, text);
    snprintf(code, sizeof code, "%s",
             read.diagnostics.found_count > 0 ? read.diagnostics.kept[0].code : "");
    read_job_fini(&read);
    return code;
}

Test(job_late, a_task_has_the_results_that_it_refers_to_each_once)
{
    struct read_job read;
    uint32_t count;
    read_job_text(
        &read, "version: 1\ntasks:\n"
               "  - {id: a.b, type: noop}\n"
               "  - {id: c, type: full, needs: [a.b, d], params: {text: "
               "\"${tasks.a.b.status}${tasks.d.output.x.y}\", list: [\"${tasks.a.b.output.z}\"]}}\n"
               "  - {id: d, type: noop}\n");
    cr_assert(read.right, "%s", read_job_errors(&read));
    const struct task *task = read_job_task(&read, 1);
    cr_assert(task->late);
    cr_assert(not(read_job_task(&read, 0)->late));
    struct result **results = late_results(task, &count);
    cr_assert(eq(u32, count, 2));
    cr_assert(results[0] == result_map_find(read.job->results, 0));
    cr_assert(results[1] == result_map_find(read.job->results, 2));
    read_job_fini(&read);
}

Test(job_late, what_is_referred_to_is_needed_perhaps_through_others)
{
    static const char a[] = "  - {id: a, type: noop}\n",
                      b[] = "  - {id: b, type: noop, needs: [a]}\n",
                      c[] = "  - {id: c, type: full, needs: [b], params: {text: "
                            "\"${tasks.a.status}\"}}\n";
    char text[1024];
    snprintf(text, sizeof text, "%s%s%s", a, b, c);
    cr_assert(eq(str, (char *)code_of(text), ""));
    snprintf(text, sizeof text, "%s%s%s", c, b, a);
    cr_assert(eq(str, (char *)code_of(text), ""));
    snprintf(text, sizeof text, "%s%s", a,
             "  - {id: c, type: full, params: {text: "
             "\"${tasks.a.status}\"}}\n");
    cr_assert(eq(str, (char *)code_of(text), "not_needed"));
    snprintf(text, sizeof text, "%s%s%s", a, b,
             "  - {id: c, type: full, needs: [b], params: {text: "
             "\"${tasks.c.status}\"}}\n");
    cr_assert(eq(str, (char *)code_of(text), "not_needed"));
}

Test(job_late, a_long_chain_whose_tasks_refer_far_back_is_read_in_time)
{
    enum { TASKS = 20000 };
    struct buffer text = BUFFER_EMPTY;
    struct read_job read;
    buffer_puts(&text, "version: 1\ntasks:\n  - {id: t0, type: noop}\n");
    for (int i = 1; i < TASKS; i++)
        buffer_printf(
            &text,
            "  - {id: t%d, type: full, needs: [t%d], params: {text: \"${tasks.t%d.status}\"}}\n", i,
            i - 1, i / 2);
    read_job_text(&read, buffer_text(&text));
    cr_assert(read.right, "%s", read_job_errors(&read));
    read_job_fini(&read);
    buffer_fini(&text);
}

Test(job_late, params_before_their_for_each_refer_to_the_task_of_the_same_number)
{
    struct read_job read;
    uint32_t count;
    read_job_text(&read, "version: 1\ntasks:\n"
                         "  - {id: a, type: noop, for_each: {x: [1, 2]}}\n"
                         "  - {id: b, type: full, params: {text: \"${tasks.a[*].status}\"}, "
                         "needs: [a], for_each: {x: [1, 2]}}\n");
    cr_assert(read.right, "%s", read_job_errors(&read));
    for (uint32_t i = 0; i < 2; i++) {
        const struct task *task = read_job_task(&read, 2 + i);
        cr_assert(task->late);
        cr_assert(late_results(task, &count)[0] == result_map_find(read.job->results, i));
        cr_assert(eq(u32, count, 1));
    }
    read_job_fini(&read);
}
